"""Options of a bench, as a user gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated

from compresskit.options.declare import Option
from compresskit.options.told import Told

DATA, DEVICE, RESULT = "Data", "Device", "Result"


@dataclass(frozen=True)
class BenchOptions(Told):
    """All options of `compresskit bench`, and of `compresskit.bench`."""

    engines: Annotated[
        Sequence[str | Path], Option("Engine folders or ONNX files.", flag="ENGINE", repeats=True)
    ]
    _: KW_ONLY
    baseline: Annotated[
        str | Path | None,
        Option("Engine to compare with; measured too.", DEVICE, default="the first of several"),
    ] = None
    profile: Annotated[
        str | Path | None,
        Option("Name or TOML file.", DEVICE, default="that of the first engine, else cpu-1-thread"),
    ] = None
    dataset: Annotated[
        str | Path | None, Option("Folder or file of labelled texts: engines are scored on it.", DATA)
    ] = None
    text_column: Annotated[
        Sequence[str], Option("Column of the text; twice for pairs.", DATA, repeats=True)
    ] = ()
    label_column: Annotated[str | None, Option("Column of the label.", DATA)] = None
    report: Annotated[
        Sequence[str | Path],
        Option("File to write: .html, .md or .json; may repeat.", RESULT, repeats=True),
    ] = ()
    history: Annotated[
        str | Path | None, Option("File that keeps results, to show later what changed.", RESULT)
    ] = None
    fail_if: Annotated[
        Sequence[str],
        Option("KEY OP NUMBER, such as 'latency_ms.p95 > 5': exit 3; may repeat.", RESULT, repeats=True),
    ] = ()
    allow_busy: Annotated[
        bool,
        Option("--fail-if decides by the figures alone, even on a busy machine: no exit 4.", RESULT),
    ] = False
