"""What a point loses against the dense model, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from compresskit.report.units import signed_ends
from compresskit.runs import FrontPoint

# In points, that is metric x 100.
ALLOWED = 1.0  # a loss up to it is worth a faster model
TOO_MUCH = 3.0  # a loss beyond it has to be ruled out before a model is praised
NO_LOSS = 0.5  # "no loss" if a larger one is ruled out


@dataclass(frozen=True)
class Loss:
    """Points lost, fewer than 0 where gained, and their 95 % interval; None where it is not known."""

    points: float
    ci: tuple[float, float] | None
    rows: int | None
    split: str

    @property
    def is_ruled_out(self) -> bool:
        """Whether the interval leaves no room for a loss that is too much."""
        return self.ci is not None and self.ci[1] <= TOO_MUCH

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves no room for a loss that is allowed."""
        return self.ci is not None and self.ci[0] > ALLOWED

    @property
    def resolution(self) -> float | None:
        """Half of the interval: differences below it cannot be seen."""
        return None if self.ci is None else (self.ci[1] - self.ci[0]) / 2

    def __str__(self) -> str:
        if self.ci is None:
            return f"{self._amount(2)}, with an interval that is not known"
        places = 2 if (self.resolution or 0.0) < 0.5 else 1
        gained = (round(self.points, places) < 0 and self.ci[1] > NO_LOSS) or self.ci[1] < 0
        ends = (-self.ci[1], -self.ci[0]) if gained else self.ci
        within = self.ci[1] <= NO_LOSS and not gained
        amount = f"no loss beyond {NO_LOSS} points" if within else self._amount(places)
        return f"{amount} (95 % interval {signed_ends(ends, places)}, {self.counted})"

    @property
    def counted(self) -> str:
        return "rows not known" if self.rows is None else f"{self.rows:,} {self.split} rows"

    def _amount(self, places: int) -> str:
        word = "gained" if round(self.points, places) < 0 else "lost"
        return f"{abs(self.points):.{places}f} points {word}"


def drop(point: FrontPoint, dense: FrontPoint | None) -> float | None:
    """Validation metric lost against the dense model; negative for a gain."""
    if dense is None or dense.metric is None or point.metric is None:
        return None
    return dense.metric - point.metric


def loss_on_validation(point: FrontPoint, dense: FrontPoint) -> Loss | None:
    """None where a metric is missing."""
    lost = drop(point, dense)
    return None if lost is None else _loss(lost, point.difference_ci, point.rows, "validation")


def loss_on_test(point: FrontPoint) -> Loss | None:
    """Of the point as it stands on the front; None where that or the dense model was not tested."""
    test = point.test
    if test is None or test.changed or test.dense_metric is None:
        return None
    return _loss(test.dense_metric - test.metric, test.difference_ci, test.rows, "test")


def _loss(lost: float, difference: tuple[float, float] | None, rows: int | None, split: str) -> Loss:
    ends = None if difference is None else (-100 * difference[1], -100 * difference[0])
    return Loss(100 * lost, ends, rows, split)
