"""What a judge beside the metric says of a model: of a point of the front, or of an engine."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from compresskit.runs.fields import figures_of


@dataclass(frozen=True)
class Judged:
    """Fractions of `metric_name` on the judge's `rows`.

    `prior`: of one vector for every text. Intervals are of 95 %: `metric_ci`, and `difference_ci` of the
    metric minus the dense model's on these rows (see `tasks.intervals`); None for the dense model, and for
    engines.
    """

    metric_name: str
    metric: float
    rows: int
    prior: float
    metric_ci: tuple[float, float]
    difference_ci: tuple[float, float] | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> Judged:
        """Raises RunError for missing or unknown fields and for values of another kind."""
        return figures_of(cls, value, "figures of a judge", "score the front again with --resume")
