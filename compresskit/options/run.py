"""Options of commands that look at a run, and of the demo that makes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from compresskit.options.declare import Option

POINT = "Point"


@dataclass(frozen=True)
class OfRun:
    """Which run."""

    run: Annotated[str | Path, Option("Folder of a run.", flag="RUN")]


@dataclass(frozen=True, kw_only=True)
class PointLimits:
    """What a point has to keep to be chosen."""

    max_drop: Annotated[
        float | None, Option("Fastest within this drop below dense, in points of metric x 100.", POINT)
    ] = None
    max_latency_ms: Annotated[float | None, Option("Best metric within this latency.", POINT)] = None


@dataclass(frozen=True, kw_only=True)
class FrontLimits(PointLimits):
    """All options of `RunFront.choose`."""

    min_metric: Annotated[float | None, Option("Fastest with at least this metric.", POINT)] = None


@dataclass(frozen=True)
class ParetoOptions(FrontLimits, OfRun):
    """All options of `compresskit pareto`."""


@dataclass(frozen=True)
class ReportFile:
    """All options of `Run.report`."""

    output: Annotated[
        str | Path | None, Option("File to write: .html, .md or .png.", default="RUN/report.html")
    ] = None
    _: KW_ONLY
    bench: Annotated[
        str | Path | None, Option("JSON result of `bench --report` to show.", default="RUN/bench.json")
    ] = None
    examples: Annotated[
        bool, Option("Show validation texts that points answer otherwise than the dense model (.html).")
    ] = False


@dataclass(frozen=True)
class ReportOptions(ReportFile, OfRun):
    """All options of `compresskit report`."""


@dataclass(frozen=True)
class ListOptions:
    """All options of `compresskit runs list`."""

    folders: Annotated[Sequence[Path], Option("Folders to look in.", flag="FOLDER", repeats=True)] = (Path(),)


@dataclass(frozen=True)
class CompareOptions:
    """All options of `compresskit runs compare`."""

    runs: Annotated[Sequence[Path], Option("Folders of two or more runs.", flag="RUN", repeats=True)]


@dataclass(frozen=True)
class PruneOptions(OfRun):
    """All options of `compresskit runs prune`."""

    _: KW_ONLY
    yes: Annotated[bool, Option("Delete; without it the command only says what would go.")] = False
    force: Annotated[bool, Option("Also where no point was exported.")] = False


@dataclass(frozen=True)
class DemoOptions:
    """All options of `compresskit demo`."""

    output: Annotated[Path, Option("New or empty folder for everything the demo makes.")] = Path("demo")
    force: Annotated[bool, Option("Delete an earlier demo in --output.")] = False
