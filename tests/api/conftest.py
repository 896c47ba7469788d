"""The script of docs/python.md, run once: on a small model, for a few trials."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compresskit.api.run import Run
from tests.pipeline.make import make_inputs
from tests.pipeline.quick import quickened

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
SMALL = (
    "epochs=1, learning_rate=1e-3, batch_size=16, max_length=16, unit_multiple=8, trials=4, "
    "searcher='random', precisions='fp32', objectives=['metric', 'latency_ms']"
)


@dataclass(frozen=True)
class Script:
    """What the script printed, and the names it made; `folder` is where it ran."""

    folder: Path
    out: str
    err: str
    names: dict[str, Any]


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    folder = tmp_path_factory.mktemp("script")
    make_inputs(folder)
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    for shown, used in (
        ("./my-classifier", str(folder / "model")),
        ("reviews.csv", str(folder / "data")),
        ("cpu-1-thread", str(folder / "profile.toml")),
        ('budget="30m"', SMALL),
        ("max_drop=1)", "max_drop=100)"),
    ):
        assert source.count(shown) == 1
        source = source.replace(shown, used)
    names: dict[str, Any] = {}
    before = Path.cwd()
    os.chdir(folder)
    try:
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            exec(compile(source, "docs/python.md", "exec"), names)
    finally:
        os.chdir(before)
    return Script(folder, out.getvalue(), err.getvalue(), names)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """For tests; the script itself runs as it is."""
    with quickened():
        yield


@pytest.fixture
def run(script: Script) -> Run:
    return Run(script.folder / "runs" / "reviews")
