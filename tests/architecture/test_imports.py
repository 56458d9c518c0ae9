"""What the tests beside the ordinary run import is there: nobody else would notice a rename before these run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("contract", "real", "chaos", "bench", "browser")
OURS = ("apps", "config", "sandbox", "tests")


def place_of(module: str) -> Path | None:
    """The file of a module or package of ours."""
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)


@cache
def names_in(file: Path) -> frozenset[str]:
    """What a module has under a name once it is imported."""
    return frozenset(_names(ast.parse(file.read_text()).body))


def _names(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        else:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    yield inner.id
            for block in ("body", "orelse", "finalbody"):
                yield from _names(getattr(node, block, []))


def missing_imports(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names if alias.name.split(".")[0] in OURS]
            found += [
                module for module in modules if not (place_of(module) or ROOT.joinpath(*module.split(".")).is_dir())
            ]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
            found += _missing_of(node.module, [alias.name for alias in node.names])
    return found


def _missing_of(module: str, names: list[str]) -> list[str]:
    file = place_of(module)
    known = names_in(file) if file else frozenset()
    return [f"{module}.{name}" for name in names if name not in known and not place_of(f"{module}.{name}")]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_import_is_there(folder: str) -> None:
    files = sorted((ROOT / "tests" / folder).rglob("*.py"))

    assert files
    assert {file.name: gone for file in files if (gone := missing_imports(file.read_text()))} == {}


def test_what_is_gone_is_named() -> None:
    source = (
        "from apps.core.money import Money, Gone\nimport apps.core.nothing\nfrom apps.nowhere import x\nimport json\n"
    )

    assert missing_imports(source) == ["apps.core.money.Gone", "apps.core.nothing", "apps.nowhere.x"]
