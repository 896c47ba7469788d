"""What a training run says while it goes on, and how long it still takes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from compresskit.display import Counter, format_seconds
from compresskit.runs.atomic import sync_tree
from compresskit.runs.jsonl import append_record

SAVE_EVERY_SECONDS = 120.0
REPORT_EVERY_SECONDS = 10.0
EVALUATIONS = 4  # of the metric, in a training
ORDER = "order of importance"  # as a stage is called
_STEPS_TO_TELL = 2  # after the first one, before a rate is told


def training_of(name: str) -> str:
    """What the training of this name is called where its progress is shown."""
    return f"training {name}"


@dataclass(frozen=True)
class Progress:
    """State of a stage after `step` of `of` steps; `metric` is None where it was not measured.

    `full_steps`: what it has cost, in optimizer steps of the full network.
    """

    stage: str
    step: int
    of: int
    seconds: float
    seconds_left: float
    loss: float | None = None
    metric: float | None = None
    full_steps: float | None = None

    def values(self) -> str:
        """Loss and metric, as far as they are known."""
        known = [] if self.loss is None else [f"loss {self.loss:.3f}"]
        return ", ".join(known if self.metric is None else [*known, f"metric {self.metric:.4f}"])

    def line(self) -> str:
        """All of it, for a log."""
        values = self.values() and f", {self.values()}"
        left = format_seconds(self.seconds_left)
        return f"{self.stage}: step {self.step} of {self.of} ({self.step / self.of:.0%}){values}, {left} left"


class ProgressCallback(TrainerCallback):  # type: ignore[misc]
    """Counts steps, reports every few seconds, measures the metric a few times, asks for timed checkpoints.

    Reports are appended to `log` as JSON lines, from which the report of a run draws its curves. An
    evaluation takes `evaluation_steps` of the stage's steps until one was timed.
    """

    def __init__(
        self,
        stage: str,
        log: Path,
        counter: Counter,
        evaluate: Callable[[], float] | None = None,
        loss: Callable[[], float | None] = lambda: None,
        full_steps: Callable[[], float | None] = lambda: None,
        evaluation_steps: float = 0.0,
    ) -> None:
        self.stage = stage
        self.log_path = log
        self.counter = counter
        self.evaluate = evaluate
        self.loss = loss
        self.full_steps = full_steps
        self.evaluation_steps = evaluation_steps
        self._counted = 0  # steps; a resumed stage begins with those of before
        self._evaluated: list[float] = []  # seconds each
        self._warm: tuple[int, float] | None = None  # the first step that is done, and when
        self._start = self._last_report = self._last_save = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._warm, self._evaluated = None, []
        self._start = self._last_report = self._last_save = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        now = time.monotonic()
        done = state.global_step
        if self._warm is None:
            self._warm = (done, now)
        share = max(1, state.max_steps // EVALUATIONS)
        is_last = done >= state.max_steps
        metric = None
        if self.evaluate is not None and (done % share == 0 or is_last) and state.is_world_process_zero:
            metric = self._timed(self.evaluate)
        self.counter.advance(done - self._counted)
        self._counted = done
        if done > self._warm[0] or is_last:
            self.counter.expect(seconds_left=self._seconds_left(state))
        due = now - self._last_report >= REPORT_EVERY_SECONDS and done - self._warm[0] >= _STEPS_TO_TELL
        if metric is not None or is_last or due:
            self._last_report = now
            self._report(state, metric)
        # A stage that is stopped here is at its end: resumed from a checkpoint, it would go beyond.
        ends = is_last or control.should_training_stop
        if now - self._last_save >= SAVE_EVERY_SECONDS and not ends:
            self._last_save = now
            control.should_save = True

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        folder = Path(args.output_dir or "", f"checkpoint-{state.global_step}")
        if state.is_world_process_zero and folder.is_dir():
            sync_tree(folder)

    def _report(self, state: TrainerState, metric: float | None) -> None:
        if not state.is_world_process_zero:
            return
        loss = self.loss()
        progress = Progress(
            self.stage,
            state.global_step,
            state.max_steps,
            time.monotonic() - self._start,
            self._seconds_left(state),
            None if loss is None or not math.isfinite(loss) else loss,
            metric,
            self.full_steps(),
        )
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        append_record(self.log_path, asdict(progress))
        self.counter.describe(progress.values(), progress.line())

    def _timed(self, evaluate: Callable[[], float]) -> float:
        begun = time.monotonic()
        metric = evaluate()
        self._evaluated.append(time.monotonic() - begun)
        return metric

    def _seconds_left(self, state: TrainerState) -> float:
        """By the steps after the first: that one also pays for what torch sets up, ten times a short step."""
        assert self._warm is not None
        first, at = self._warm
        steps = state.global_step - first
        spent: float = time.monotonic() - (at if steps else self._start) - sum(self._evaluated)
        a_step = spent / max(1, steps)
        left: float = a_step * (state.max_steps - state.global_step)
        if self.evaluate is None:
            return left
        timed = self._evaluated
        evaluation = sum(timed) / len(timed) if timed else a_step * self.evaluation_steps
        return left + evaluation * self._evaluations_after(state)

    def _evaluations_after(self, state: TrainerState) -> int:
        share = max(1, state.max_steps // EVALUATIONS)
        whole: int = state.max_steps // share - state.global_step // share
        return whole + int(state.max_steps % share != 0 and state.global_step < state.max_steps)
