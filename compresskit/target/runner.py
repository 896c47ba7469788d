"""One engine of a comparison: its process, its turns, and what its rounds tell."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.errors import TargetError
from compresskit.target.base import Model, SessionSettings
from compresskit.target.child import Child
from compresskit.target.comparison_result import EngineMeasurement
from compresskit.target.leg import Leg
from compresskit.target.local import cache_folder, start_child
from compresskit.target.paired import Rounds
from compresskit.target.profile import Profile
from compresskit.target.session import session_spec
from compresskit.target.statistics import Array, median_interval, ratio_interval, widened
from compresskit.target.timer import Step, runs_for, runs_to_settle, warm_up
from compresskit.target.workload import mixed_percentile, parts_of, percentile_interval, weighted

_BLOCK_MS = 60.0

Picked = npt.NDArray[np.intp]


@dataclass(frozen=True)
class EngineToMeasure:
    """A graph to compare under `name`; `size_bytes` is its file's size where it is more than the graph."""

    name: str
    model: Model
    session: SessionSettings | None = None
    size_bytes: int | None = None


@dataclass
class Runner:
    """One engine in its process; `legs[j][i]` is round i of part j, a length of a mix."""

    engine: EngineToMeasure
    child: Child
    weights: list[float]
    legs: list[list[Leg]]
    first_run_ms: float = 0.0
    nodes: dict[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    @classmethod
    def start(cls, engine: EngineToMeasure, profile: Profile, stack: ExitStack) -> Runner:
        """Its process, ended with the `stack`, and its sessions. Raises TargetError naming the engine."""
        child = start_child(profile)
        stack.callback(child.kill)
        parts = parts_of(profile)
        runner = cls(engine, child, [part.weight for part in parts], [[] for _ in parts])
        try:
            for part in parts:
                runner._load(part.profile, profile)
        except TargetError as error:
            raise TargetError(f"{engine.name}: {error}") from None
        return runner

    def _load(self, part: Profile, profile: Profile) -> None:
        slot = f"{part.length} tokens"
        spec = session_spec(self.engine.model, part, self.engine.session, cache=cache_folder(profile))
        if spec.threads > 1:
            # Its idle threads would spin while another engine runs.
            spec = spec.with_entry("session.force_spinning_stop", "1")
        loaded: dict[str, Any] = self.child.load(slot, self.engine.model, spec)
        run_ms = warm_up(self.child.run, slot, profile)
        # The process will have slept since its last turn, and others have filled the caches.
        self.steps.append(Step(slot, 2 * runs_to_settle(run_ms), runs_for(_BLOCK_MS, run_ms, 31)))
        self.first_run_ms = self.first_run_ms or loaded["first_run_ms"]
        self.nodes = loaded["nodes"]

    @property
    def runs_a_round(self) -> int:
        return sum(step.runs for step in self.steps)

    def turn(self) -> float:
        """One block of each part, and how long they took with the untimed runs before them, ms."""
        spent_ms = 0.0
        for rounds, leg, step in zip(self.legs, self.child.run(self.steps), self.steps, strict=True):
            rounds.append(leg)
            spent_ms += sum(leg.wall_ms or leg.samples_ms) * (1 + step.discard / step.runs)
        return spent_ms

    def in_round(self, number: int) -> list[Leg]:
        """Its legs of round `number`, one of each part."""
        return [rounds[number] for rounds in self.legs]

    def blocks(self, picked: Picked) -> list[list[Array]]:
        """Samples by part and round, of the `picked` rounds."""
        return [[np.asarray(rounds[i].samples_ms) for i in picked] for rounds in self.legs]

    def corrected(self, reference: Runner, level_ms: float, picked: Picked) -> tuple[float, float, float]:
        """Latency in the state where the reference, run before and after each round, takes `level_ms`."""
        state = np.log([leg.typical_ms for leg in reference.legs[0]])
        found = []
        for rounds in self.legs:
            own = np.log([leg.typical_ms for leg in rounds])
            found.append(Rounds(own[picked], state[:-1][picked], state[1:][picked]).interval(level_ms))
        return weighted(found, self.weights)

    def interval(self, picked: Picked, coverage: float = 0.95) -> tuple[float, float, float]:
        """Median latency and its interval, ms."""
        return weighted([median_interval(part, coverage) for part in self.blocks(picked)], self.weights)

    def ratio_to(
        self,
        base: Runner,
        picked: Picked,
        *,
        draws: int = 1000,
        coverage: float,
        statistic: Callable[..., Any],
    ) -> tuple[float, float, float]:
        """How many times faster than `base`, with the paired interval."""
        return ratio_interval(
            base.blocks(picked),
            self.blocks(picked),
            self.weights,
            draws=draws,
            coverage=coverage,
            statistic=statistic,
        )

    def percentile_interval(
        self, picked: Picked, percent: float, coverage: float
    ) -> tuple[float, float] | None:
        """None under a mix of lengths, and while the samples are too few to carry it."""
        return percentile_interval(self.blocks(picked), percent, coverage)

    def result(
        self, profile: Profile, picked: Picked, marks: tuple[str, ...], *, error: float, coverage: float
    ) -> EngineMeasurement:
        """All figures of the `picked` rounds, with intervals of `coverage`.

        That of the median holds the relative standard `error` that the rounds do not show.
        """
        blocks = self.blocks(picked)
        samples = [np.concatenate(part).tolist() for part in blocks]
        median, low, high = widened(self.interval(picked, coverage), error, coverage)
        model, size = self.engine.model, self.engine.size_bytes
        if size is None:
            size = model.stat().st_size if isinstance(model, Path) else len(model)
        return EngineMeasurement(
            name=self.engine.name,
            samples_ms=tuple(sample for part in samples for sample in part),
            median_ms=median,
            ci_ms=(low, high),
            p95_ms=mixed_percentile(samples, self.weights, 95),
            p99_ms=mixed_percentile(samples, self.weights, 99),
            p95_ci_ms=percentile_interval(blocks, 95, coverage),
            p99_ci_ms=percentile_interval(blocks, 99, coverage),
            throughput_per_s=profile.texts * 1e3 / median,
            first_run_ms=self.first_run_ms,
            peak_memory_bytes=self.child.peak_memory_bytes(),
            size_bytes=size,
            nodes=self.nodes,
            marks=marks,
        )
