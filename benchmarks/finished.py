"""What benchmarks look at in a finished run: its task, its super-network and its space."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.store.reuse import stored_settings
from compresskit.pipeline.store.shared_weights import informed_by_run, load_shared
from compresskit.pipeline.training.models import load_model, open_checkpoint
from compresskit.runs.directory import RunDirectory
from compresskit.spaces import Space, make_space
from compresskit.supernet.network import SuperNetwork
from compresskit.training.stages import Stage


class FinishedRun:
    """A run of method `nas` whose search is done; `purpose` is what messages say it is opened for."""

    def __init__(self, path: Path, purpose: str) -> None:
        self.run = RunDirectory.open(path)
        self.settings = stored_settings(self.run, {}, (), purpose)
        self.checkpoint = open_checkpoint(self.settings.model)
        self.task = read_task(self.settings, self.checkpoint)
        self.supernet = load_shared(self.run.supernet / "model")

    def dense(self) -> SuperNetwork:
        return SuperNetwork(load_model(self.run.supernet / "dense_model"))

    def space(self, name: str | None = None, unit_multiple: int | None = None) -> Space:
        """The space that was searched, or another one of the same network."""
        space = make_space(
            name or self.settings.space,
            self.supernet.blueprint.dims,
            layer_policy=self.settings.layer_policy,
            unit_multiple=unit_multiple or self.settings.unit_multiple,
        )
        return informed_by_run(space, self.run.supernet)

    @contextmanager
    def stage(self) -> Iterator[Stage]:
        """To score networks on the run's task; leaves nothing behind."""
        with tempfile.TemporaryDirectory() as folder:
            yield Stage(self.task, Path(folder))
