"""What a judge beside the metric says of a model: of a point of the front, or of an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from compresskit.errors import RunError
from compresskit.field_types import wrong_kind

_INTERVALS = ("metric_ci", "difference_ci")


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
        if not isinstance(value, Mapping) or set(value) - {field.name for field in fields(cls)}:
            raise RunError(f"what a judge says is not known: {value!r:.80}.")
        given = {
            **value,
            **{name: tuple(value[name]) for name in _INTERVALS if isinstance(value.get(name), list)},
        }
        if wrong := wrong_kind(cls, given):
            raise RunError(f"of a judge {wrong}")
        try:
            return cls(**given)
        except TypeError as error:
            raise RunError(f"what a judge says is incomplete ({error}).") from None
