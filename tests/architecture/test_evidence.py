"""The catalogue claims of each connector what a test proves, no more and no less."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from apps.connectors.registry import connectors
from apps.connectors.sdk.manifest import Evidence

TESTS = Path("tests")
# Where tests call a vendor by a shorter name.
SHORT = {"stripe_billing": "stripe"}


def functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def runs_on_a_real_server(name: str) -> bool:
    """A class of the suite that every connector inherits, over a server that was started."""
    path = TESTS / f"real/test_conformance_{name}.py"
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    suites = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {base.id for suite in suites for base in suite.bases if isinstance(base, ast.Name)}
    return "ConnectorConformance" in bases and f"{name}_server" in path.read_text(encoding="utf-8")


def reads_recordings(name: str) -> bool:
    """Recorded answers of real accounts go through this connector's streams."""
    path = TESTS / f"contract/test_{name}_recordings.py"
    return bool(functions(path)) and f'"{name}"' in path.read_text(encoding="utf-8")


def is_held_against_a_description(name: str) -> bool:
    """Whatever the connector sends is judged by the vendor's own description."""
    path = TESTS / f"contract/test_{name}_requests.py"
    asked = {argument.arg for function in functions(path) for argument in function.args.args}
    return {"evidence", "server"} <= asked


def proven(name: str) -> Evidence:
    """The strongest proof that there is a test for."""
    if runs_on_a_real_server(name):
        return Evidence.REAL_SERVER
    if reads_recordings(name):
        return Evidence.RECORDED
    return Evidence.SPEC_CHECKED if is_held_against_a_description(name) else Evidence.SIMULATED


@pytest.mark.parametrize("key", sorted(connectors()))
def test_the_label_says_what_is_proven(key: str) -> None:
    manifest = connectors()[key].manifest

    assert manifest.evidence is proven(SHORT.get(key, key))


@pytest.mark.parametrize("key", sorted(connectors()))
def test_the_note_says_what_was_not_shown(key: str) -> None:
    """Nobody is left to believe that a connector without its vendor's software ran against it."""
    manifest = connectors()[key].manifest
    note = manifest.evidence_note.lower()

    if manifest.evidence is Evidence.SIMULATED:
        assert "simulat" in note, note
    elif manifest.evidence is not Evidence.REAL_SERVER:
        assert "not run against a live" in note or "never run against" in note, note


def test_every_label_is_derived_from_something() -> None:
    """Were a folder of tests renamed, all would seem simulated, and all labels wrong."""
    assert {proven(SHORT.get(key, key)) for key in connectors()} == {
        Evidence.REAL_SERVER, Evidence.RECORDED, Evidence.SPEC_CHECKED, Evidence.SIMULATED,
    }  # fmt: skip
