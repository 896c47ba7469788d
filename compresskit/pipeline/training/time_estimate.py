"""How long the whole search will take, said early and mended as it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from compresskit.methods.names import UNTRAINED
from compresskit.pipeline.settings import SearchSettings
from compresskit.runs.records import TrialRecord
from compresskit.searchers.loop import Progress as SearchProgress
from compresskit.tasks.task import Task
from compresskit.training.cost import FORWARD
from compresskit.training.progress import Progress
from compresskit.training.recipe import Recipe

DENSE, SUPERNET = "dense", "supernet"  # stages
# A candidate of the search costs half of the full network, one with another.
MEAN_CANDIDATE = 0.5
SECONDS_A_MEASUREMENT = 3.0
SECONDS_A_CHOICE = 30.0  # of the graph's form, once a precision


def format_seconds(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Clock:
    """Turns progress into lines with time left, and the first seconds of training into an estimate."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._later: Callable[[float], float] | None = None

    @staticmethod
    def now() -> float:
        return time.monotonic()

    def begin(
        self,
        stage: str,
        settings: SearchSettings,
        recipes: Mapping[str, Recipe],
        task: Task,
        costs: Mapping[str, float],
        rest: float = 0.0,
    ) -> None:
        """Before a training stage: remember what comes after it.

        `recipes` of the dense stage and of the super-network; `costs` of a mean step of each, in steps of the
        full network. `rest`: full steps of the same stage after the part that begins it.
        """
        rows, shared = len(task.train.encoded), recipes[SUPERNET]
        self.say(f"{stage}: {recipes[stage].epochs:g} epochs of {rows} rows")
        steps = shared.epochs * rows / shared.batch_size
        scored = len(task.search.encoded) / shared.batch_size * FORWARD * MEAN_CANDIDATE
        trials = settings.trials or 0

        def later(seconds_a_step: float) -> float:
            full = seconds_a_step / costs[stage]
            trains = stage == DENSE and settings.method not in UNTRAINED
            training = (steps * costs[SUPERNET] if trains else rest) * full
            searching = trials * (scored * full + SECONDS_A_MEASUREMENT)
            if settings.budget_seconds is not None:
                searching = min(searching or settings.budget_seconds, settings.budget_seconds)
            return training + SECONDS_A_CHOICE * max(1, len(settings.precisions)) + searching

        self._later = later

    def hear(self, progress: Progress) -> None:
        done = progress.seconds / max(1e-9, progress.seconds + progress.seconds_left)
        metric = "" if progress.loss is None else f", loss {progress.loss:.3f}"
        metric += "" if progress.metric is None else f", metric {progress.metric:.4f}"
        self.say(
            f"{progress.stage}: step {progress.step} of {progress.of} ({done:.0%}){metric}, "
            f"{format_seconds(progress.seconds_left)} left"
        )
        if self._later is not None and progress.step < progress.of:
            total_steps = progress.of - progress.step
            left = progress.seconds_left + self._later(progress.seconds_left / total_steps)
            self.say(f"the whole search needs about {format_seconds(left)} more")
            self._later = None

    def search_begins(self, settings: SearchSettings) -> None:
        limit = [f"{settings.trials} trials"] if settings.trials else []
        limit += [format_seconds(settings.budget_seconds)] if settings.budget_seconds else []
        within = [] if settings.max_latency_ms is None else [f"{settings.max_latency_ms:g} ms"]
        within += [] if settings.max_drop is None else [f"{settings.max_drop:g} points of dense"]
        aim = f" for what is within {' and '.join(within)}" if within else ""
        self.say(f"search: {settings.searcher} in space {settings.space}{aim}, at most {' or '.join(limit)}")

    def point(self, record: TrialRecord, metric_name: str) -> None:
        """One line for a trial with weights of its own."""
        if not record.is_completed:
            self.say(f"trial {record.trial_id}: failed: {record.error}")
            return
        self.say(
            f"trial {record.trial_id}: {metric_name} {record.metric:.4f}, {record.latency_ms:.3f} ms  "
            f"{record.signature}"
        )

    def trial(self, progress: SearchProgress, metric_name: str) -> None:
        """One line a trial: what it gave, and where the front stands."""
        record = progress.record
        if not record.is_completed:
            self.say(f"trial {record.trial_id}: failed: {record.error}")
            return
        latency = "" if record.latency_ms is None else f", {record.latency_ms:.3f} ms"
        latency += "" if record.precision == "fp32" else f" in {record.precision}"
        volume = "" if progress.hypervolume is None else f", hypervolume {progress.hypervolume:.4f}"
        stands = f"front of {len(progress.front)}"
        if progress.nearest is not None:
            stands = f"none for the front yet, nearest is trial {progress.nearest.trial_id}"
        self.say(
            f"trial {record.trial_id}: {metric_name} {record.metric:.4f}{latency}  {record.signature}  "
            f"({stands}{volume})"
        )
