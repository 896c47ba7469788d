"""A small finished search, made once for all that look at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compresskit.pipeline.search import search
from tests.pipeline.make import make_inputs, settings_for
from tests.pipeline.quick import quickened


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    return folder


@pytest.fixture(scope="session")
def run(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that was never interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    with quickened():
        search(settings_for(inputs), folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """For fixtures and tests of a module; `run` is made before."""
    with quickened():
        yield


@pytest.fixture
def no_prior(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any metric is good enough: the small networks of these tests learn next to nothing."""
    monkeypatch.setattr("compresskit.tasks.task.Task.prior", lambda *_: 0.0)
