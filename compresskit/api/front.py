"""The front of a run, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, overload

from compresskit.report.run_page import front_html
from compresskit.runs.records import Front, FrontPoint
from compresskit.searchers.front import select_point

if TYPE_CHECKING:
    import pandas as pd

_NESTED = ("idx", "architecture", "blocks", "weights", "test")


class RunFront(Sequence[FrontPoint]):
    """The points, fastest first: `front[0]` is the fastest. `record` is what the run stores."""

    def __init__(self, front: Front) -> None:
        self.record = front

    @property
    def dense(self) -> FrontPoint | None:
        """The dense model beside them."""
        return self.record.dense

    @overload
    def __getitem__(self, index: int) -> FrontPoint: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FrontPoint]: ...
    def __getitem__(self, index: int | slice) -> FrontPoint | Sequence[FrontPoint]:
        return self.record.points[index]

    def __len__(self) -> int:
        return len(self.record.points)

    def choose(
        self,
        *,
        max_drop: float | None = None,
        max_latency_ms: float | None = None,
        min_metric: float | None = None,
    ) -> FrontPoint:
        """The point that `compresskit pareto` marks: within all limits the fastest, or the best one within
        `max_latency_ms` alone. `max_drop` is in points of metric x 100. SearchError where there is none.
        """
        return select_point(
            self.record, max_drop=max_drop, max_latency_ms=max_latency_ms, min_metric=min_metric
        )

    def to_json(self) -> dict[str, Any]:
        """As pareto.json has it."""
        return self.record.to_json()

    def to_frame(self) -> pd.DataFrame:
        """A row for each point, indexed by `idx`, with its scalars and intervals as `FrontPoint` has them."""
        import pandas as pd

        columns = [field.name for field in fields(FrontPoint) if field.name not in _NESTED]
        rows = [{name: getattr(point, name) for name in columns} for point in self]
        return pd.DataFrame(rows, columns=columns, index=pd.RangeIndex(len(rows), name="idx"))

    def _repr_html_(self) -> str:
        return front_html(self.record)
