"""No function, class, module or template outgrows the house.

What is already too large is listed with its size: growing further fails, and so does an entry that no longer fits.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON_ROOMS = ("apps", "config", "sandbox", "tests")
LIMITS = {"function": 40, "class": 250, "module": 400, "template": 150}

RATCHET: dict[str, int] = {}


def measured() -> Iterator[tuple[str, str, int]]:
    for room in PYTHON_ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield from measured_in(path)
    for path in sorted((ROOT / "templates").rglob("*.html")):
        yield "template", str(path.relative_to(ROOT)), len(path.read_text().splitlines())


def measured_in(path: Path) -> Iterator[tuple[str, str, int]]:
    name = str(path.relative_to(ROOT))
    text = path.read_text()
    yield "module", name, len(text.splitlines())
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield "function", f"{name}::{node.name}", length(node)
        elif isinstance(node, ast.ClassDef):
            yield "class", f"{name}::{node.name}", length(node)


def length(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_what_is_larger_than_its_limit_is_listed_with_its_size():
    largest: dict[str, int] = {}
    for kind, name, lines in measured():
        if lines > LIMITS[kind]:
            largest[name] = max(lines, largest.get(name, 0))

    assert largest == RATCHET


def test_limits_are_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.architecture.test_sizes.ROOT", tmp_path)
    path = tmp_path / "long.py"
    path.write_text("class Big:\n    def long(self):\n" + "        pass\n" * 45)

    sizes = {(kind, name): lines for kind, name, lines in measured_in(path)}

    assert sizes == {("module", "long.py"): 47, ("class", "long.py::Big"): 47, ("function", "long.py::long"): 46}
