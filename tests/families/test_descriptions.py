"""A family is a description: short, and asked for by no name outside the floors that may."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import compresskit
from compresskit.families import families

PACKAGE = Path(compresskit.__file__).parent
SHARED = {"__init__.py", "base.py", "blueprint.py"}
DESCRIPTIONS = sorted(path for path in (PACKAGE / "families").glob("*.py") if path.name not in SHARED)
MAY_ASK = {"families", "tasks", "bundle"}


@pytest.mark.parametrize("path", DESCRIPTIONS, ids=lambda path: path.stem)
def test_a_familys_file_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 80


def test_no_model_type_is_compared_elsewhere() -> None:
    found: list[str] = []
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] in MAY_ASK:
            continue
        found.extend(
            f"{path.relative_to(PACKAGE)}:{node.lineno}"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Compare | ast.Match) and _speaks_of_types(node)
        )
    assert found == []


def _speaks_of_types(node: ast.AST) -> bool:
    inner = list(ast.walk(node))
    names = {each.attr for each in inner if isinstance(each, ast.Attribute)}
    words = {each.value for each in inner if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return "model_type" in names or bool(words & families().keys())
