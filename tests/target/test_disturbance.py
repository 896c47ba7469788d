"""Which rounds of a comparison count beside other programs, and by what engines are compared then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest

from compresskit.target.disturbance import Disturbance
from compresskit.target.interference import COLD, quickest
from compresskit.target.leg import Leg
from compresskit.target.runner import Runner
from compresskit.target.timer import Step
from tests.target.scheduler import Scheduler

LARGE_MS = 9.0


@dataclass
class Engine:
    """The part of a Runner that a Disturbance asks."""

    legs: list[list[Leg]] = field(default_factory=lambda: [[]])

    def in_round(self, number: int) -> list[Leg]:
        return [self.legs[0][number]]

    @property
    def samples(self) -> list[tuple[float, ...]]:
        return [leg.samples_ms for leg in self.legs[0]]


def compared(ms: float, others: Callable[[float], int], *, tells: bool = True) -> tuple[Disturbance, float]:
    """Of an engine of `ms` and one of 9 ms in turn for 40 rounds; and how many times faster it seems."""
    times, refill = {"small": ms, "large": LARGE_MS}, {"small": 0.2, "large": 0.1}
    machine = Scheduler(times, others, tells=tells, refill_ms=refill)
    engines = {name: Engine() for name in times}
    for _ in range(40):
        for name, engine in engines.items():
            engine.legs[0] += machine.run([Step(name, 3, max(3, int(40 / times[name])))])
    found = Disturbance.of([cast(Runner, engine) for engine in engines.values()])
    by = found.statistic
    small, large = (
        float(by(np.concatenate([engine.samples[i] for i in found.picked]))) for engine in engines.values()
    )
    return found, large / small


@pytest.fixture(autouse=True)
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)


@pytest.mark.parametrize("ms", [0.5, 2.5, 4.5])
def test_a_quiet_machine_counts_whole(ms: float) -> None:
    found, times = compared(ms, lambda t: 0)
    assert len(found.picked) == 40 and not found.marks and found.statistic is np.median
    assert times == pytest.approx(LARGE_MS / ms, rel=0.02)


@pytest.mark.parametrize("ms", [0.5, 2.5, 4.5])
def test_quiet_rounds_count_alone_where_there_are_enough(ms: float) -> None:
    found, times = compared(ms, lambda t: int(t / 2000) % 2)
    assert 12 <= len(found.picked) < 40 and not found.marks
    assert times == pytest.approx(LARGE_MS / ms, rel=0.02)


@pytest.mark.parametrize("ms", [0.5, 2.5, 4.5])
def test_never_quiet(ms: float) -> None:
    """The quickest runs are compared, and runs about as long as a slice are marked."""
    found, times = compared(ms, lambda t: 2)
    assert len(found.picked) == 40 and found.statistic is quickest
    assert found.marks == ((COLD,) if ms == 2.5 else ())
    assert times == pytest.approx(LARGE_MS / ms, rel=0.12 if ms == 2.5 else 0.06)
    assert found.common_error > 0.02


def test_wall_clock_alone_counts_what_others_took() -> None:
    found, _ = compared(2.5, lambda t: 1, tells=False)
    assert found.refill == 0 and found.statistic is np.median
