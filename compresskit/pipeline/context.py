"""One search as all its stages see it."""

from __future__ import annotations

from dataclasses import dataclass

from compresskit.display import SILENT, Display
from compresskit.pipeline.inputs import Inputs
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store.shared_weights import informed_by_run
from compresskit.pipeline.training.ranks import WatchedRun, is_first
from compresskit.pipeline.training.steps_spent import note_training
from compresskit.pipeline.training.time_estimate import TimedDisplay
from compresskit.runs.directory import RunDirectory
from compresskit.spaces import Space
from compresskit.training.stages import Stage


@dataclass(frozen=True)
class Context:
    """What a search works with, from its beginning to its end: what changes is in the run's folder.

    `inputs` are as they were read; `stage` is what each training is given; `display` shows progress.
    """

    run: RunDirectory
    settings: SearchSettings
    inputs: Inputs
    stage: Stage
    display: TimedDisplay

    @classmethod
    def of(
        cls, run: RunDirectory, settings: SearchSettings, inputs: Inputs, display: Display, *, resume: bool
    ) -> Context:
        """That of this process: of several, those behind the first neither write nor speak."""
        if not is_first():
            run, display = WatchedRun(run.path, dict(run.info), None), SILENT
        timed = TimedDisplay(display)
        stage = Stage(inputs.task, run.supernet, timed, resume)
        return cls(run, settings, inputs, stage, timed)

    @property
    def space(self) -> Space:
        """The space as what the run has learnt so far shapes it: the order of all members, then of parts."""
        return informed_by_run(self.inputs.space, self.run.supernet)

    def trained(self, stage: str) -> None:
        """A training's model is on disk: what it cost is written down, its checkpoints go."""
        if is_first():
            self.stage.discard(stage)
        note_training(self.run, stage)
