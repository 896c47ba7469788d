"""`compresskit.export`: from a point of a run to an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compresskit.api.run import ExportedEngine
from compresskit.options.declare import takes
from compresskit.options.export import ExportCall
from compresskit.pipeline import export as pipeline


@takes(ExportCall)
def export(**given: Any) -> ExportedEngine:
    """Prune one point of a run, verify it, score it on the test set, and write its engine into `output`.

    Name the point by `pareto_idx`, `trial`, `dense`, or `max_drop` and `max_latency_ms`. Raises
    CompresskitError for anything the user can correct.
    """
    return ExportedEngine(Path(given["output"]), pipeline.export(**given))
