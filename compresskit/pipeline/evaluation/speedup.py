"""How many times faster than the dense model: one look, and several of them combined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from compresskit.target.base import Measurement
from compresskit.target.warn import MOST_HALF_WIDTH

MOST_LOOKS = 3
# Beyond the reduction in multiply-accumulates by more than this, a speed-up is looked at again: small
# networks can gain more than their share, since their weights fit the caches, but rarely do.
BEYOND_MACS = 1.1


@dataclass(frozen=True)
class SpeedUp:
    """How many times faster than dense, with the 95 % interval, and why it is not to be trusted, if so."""

    times: float
    ci: tuple[float, float]
    marks: tuple[str, ...] = ()

    @classmethod
    def of(cls, measured: Measurement, dense: SpeedUp | None = None) -> SpeedUp:
        """From a measurement beside dense; `dense` is its own there, not 1 in a mix of lengths."""
        ratio, low, high = measured.ratio
        found = cls(1 / ratio, (1 / high, 1 / low), measured.marks)
        if dense is None:
            return found
        times = found.times / dense.times
        error = float(np.exp(np.hypot(found.half_width, dense.half_width)))
        return cls(times, (times / error, times * error), tuple(dict.fromkeys((*dense.marks, *found.marks))))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SpeedUp:
        low, high = value["ci"]
        return cls(value["times"], (low, high), tuple(value["marks"]))

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"ci": list(self.ci), "marks": list(self.marks)}

    @property
    def half_width(self) -> float:
        """Of the interval's logarithm."""
        return float(np.log(self.ci[1] / self.ci[0]) / 2)

    def contradicts(self, low: float, high: float) -> bool:
        """Whether the interval lies wholly beside the one from `low` to `high`."""
        return self.ci[1] < low or self.ci[0] > high


def combined(looks: Sequence[SpeedUp]) -> SpeedUp:
    """One speed-up of several looks at the same pair: means weighted by precision, on a log scale.

    The interval holds how far the looks lie apart as well. Looks of which no two agree are marked.
    """
    if len(looks) == 1:
        return looks[0]
    centres = np.log([look.times for look in looks])
    widths = np.array([look.half_width for look in looks])
    weights = widths**-2 / np.sum(widths**-2)
    centre = float(weights @ centres)
    apart = float(np.sqrt(weights @ (centres - centre) ** 2))
    half_width = float(np.hypot(np.sum(widths**-2) ** -0.5, apart))
    marks = {mark for look in looks for mark in look.marks if not mark.startswith("the 95 % interval")}
    agree = any(not one.contradicts(*other.ci) for i, one in enumerate(looks) for other in looks[i + 1 :])
    if not agree:
        marks.add("measurements contradict each other: the machine was busy")
    if half_width > MOST_HALF_WIDTH:
        marks.add(f"the 95 % interval is +-{half_width:.0%}")
    low, high = np.exp([centre - half_width, centre + half_width]).tolist()
    return SpeedUp(float(np.exp(centre)), (low, high), tuple(sorted(marks)))


def is_settled(looks: Sequence[SpeedUp], expected: tuple[float, float] | None, most: float | None) -> bool:
    """Whether no further look is needed.

    `expected` is the interval that the search found, `most` the reduction in multiply-accumulates. One
    look is enough where it contradicts neither; of more, two have to agree.
    """
    if len(looks) >= MOST_LOOKS:
        return True
    last = looks[-1]
    if last.marks:
        return False
    if len(looks) > 1:
        return any(not last.contradicts(*other.ci) for other in looks[:-1])
    beyond = most is not None and last.ci[0] > most * BEYOND_MACS
    return not beyond and (expected is None or not last.contradicts(*expected))
