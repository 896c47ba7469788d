"""docs/python.md: its script runs, and its calls exist."""

from __future__ import annotations

import re

import pytest

import compresskit
from compresskit.api.front import RunFront
from compresskit.api.run import ExportedEngine, Run
from tests.api.conftest import PAGE, Script


def test_the_script_searches_exports_and_predicts(script: Script) -> None:
    assert script.names["run"].verdict.headline in script.out
    assert "latency_ms" in script.out
    assert "trial 0" in script.err
    assert (script.folder / "engines" / "reviews" / "compresskit.json").is_file()
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(source.splitlines()) <= 12


@pytest.mark.parametrize("call", re.findall(r"^\| `([\w.]+)", PAGE, re.MULTILINE))
def test_calls_exist(call: str) -> None:
    owner, _, name = call.rpartition(".")
    assert hasattr({"": compresskit, "run": Run, "run.front": RunFront}[owner], name)


@pytest.mark.parametrize(
    ("owner", "names"), [(ExportedEngine, ("predict", "engine")), (RunFront, ("dense",))]
)
def test_attributes_exist(owner: type, names: tuple[str, ...]) -> None:
    assert all(f".{name}" in PAGE and hasattr(owner, name) for name in names)
