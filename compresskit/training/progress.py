"""What a training run says while it goes on, and how long it still takes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from compresskit.runs.atomic import sync_tree
from compresskit.runs.jsonl import append_record

SAVE_EVERY_SECONDS = 120.0
REPORT_EVERY_SECONDS = 10.0
_STEPS_TO_TELL = 2  # after the first one, before a rate is told


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


Listener = Callable[[Progress], None]


class ProgressCallback(TrainerCallback):  # type: ignore[misc]
    """Reports every few seconds, measures the metric a few times, and asks for timed checkpoints.

    Progress is appended to `log` as JSON lines, from which the report draws its curves.
    """

    def __init__(
        self,
        stage: str,
        log: Path,
        listen: Listener,
        evaluate: Callable[[], float] | None = None,
        loss: Callable[[], float | None] = lambda: None,
        full_steps: Callable[[], float | None] = lambda: None,
        evaluations: int = 4,
    ) -> None:
        self.stage = stage
        self.log_path = log
        self.listen = listen
        self.evaluate = evaluate
        self.loss = loss
        self.full_steps = full_steps
        self.evaluations = evaluations
        self._warm: tuple[int, float] | None = None  # the first step that is done, and when
        self._start = self._last_report = self._last_save = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._warm = None
        self._start = self._last_report = self._last_save = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        now = time.monotonic()
        done = state.global_step
        if self._warm is None:
            self._warm = (done, now)
        share = max(1, state.max_steps // self.evaluations)
        is_last = done >= state.max_steps
        metric = None
        if self.evaluate is not None and (done % share == 0 or is_last) and state.is_world_process_zero:
            metric = self.evaluate()
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
        assert self._warm is not None
        now = time.monotonic()
        seconds = now - self._start
        # The first step also pays for what torch sets up: ten times the others', where those are short.
        since = state.global_step - self._warm[0]
        per_step = (now - self._warm[1]) / since if since else seconds
        left = per_step * (state.max_steps - state.global_step)
        loss = self.loss()
        progress = Progress(
            self.stage,
            state.global_step,
            state.max_steps,
            seconds,
            left,
            None if loss is None or not math.isfinite(loss) else loss,
            metric,
            self.full_steps(),
        )
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        append_record(self.log_path, asdict(progress))
        self.listen(progress)
