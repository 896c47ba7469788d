"""The front of a run, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, overload

from compresskit.options.declare import takes_as_method
from compresskit.options.run import FrontLimits
from compresskit.report.run_page import front_html
from compresskit.report.verdict import Verdict
from compresskit.runs.records import Front, FrontPoint
from compresskit.searchers.front import select_point

if TYPE_CHECKING:
    import pandas as pd

_NESTED = ("idx", "architecture", "blocks", "weights", "test", "judges", "dims")


class RunFront(Sequence[FrontPoint]):
    """The points, fastest first: `front[0]` is the fastest.

    `record` is what the run stores; `verdict` says whether pruning helps on the device.
    """

    def __init__(self, front: Front, verdict: Verdict) -> None:
        self.record, self.verdict = front, verdict

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

    @takes_as_method(FrontLimits)
    def choose(self, **limits: Any) -> FrontPoint:
        """The point that `compresskit pareto` marks: within all limits the fastest, or the best one within
        `max_latency_ms` alone. SearchError where there is none.
        """
        return select_point(self.record, **limits)

    def to_json(self) -> dict[str, Any]:
        """As pareto.json has it."""
        return self.record.to_json()

    def to_frame(self) -> pd.DataFrame:
        """A row for each point, indexed by `idx`, with its scalars and intervals as `FrontPoint` has them.

        What each judge says is a column of its name.
        """
        import pandas as pd

        columns = [field.name for field in fields(FrontPoint) if field.name not in _NESTED]
        judges = list(self[0].judges) if len(self) else []
        rows = [
            {name: getattr(point, name) for name in columns}
            | {name: said.metric for name, said in point.judges.items()}
            for point in self
        ]
        return pd.DataFrame(rows, columns=[*columns, *judges], index=pd.RangeIndex(len(rows), name="idx"))

    def _repr_html_(self) -> str:
        return front_html(self.record)
