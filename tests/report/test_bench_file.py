"""A result of bench that was damaged: what reads it names the file and the value."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import RunError
from compresskit.report.bench_file import read_bench
from tests.report.runs import bench_result

HOLDERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "result": lambda result: result,
    "engine": lambda result: result["engines"][1],
    "ratio": lambda result: result["ratios"][0],
    "latency": lambda result: result["engines"][1]["latency_ms"],
}


WRONG_MARKS: tuple[Any, ...] = ([{}], 1, None)
WRONG_ENDS: tuple[Any, ...] = (1.0, [1.0])
CASES: list[tuple[str, str, Any]] = [
    *((holder, "marks", wrong) for holder in ("result", "engine", "ratio") for wrong in WRONG_MARKS),
    *(("latency", f"{name}_ci", wrong) for name in ("p95", "p99", "corrected") for wrong in WRONG_ENDS),
]


@pytest.mark.parametrize(("holder", "key", "value"), CASES)
def test_a_value_of_another_type_is_told(tmp_path: Path, holder: str, key: str, value: Any) -> None:
    result, file = bench_result(), tmp_path / "bench.json"
    HOLDERS["latency"](result).update({"p95_ci": [5.4, 5.6], "p99_ci": None, "corrected_ci": None})
    file.write_text(json.dumps(result))
    assert read_bench(file) == result
    HOLDERS[holder](result)[key] = value
    file.write_text(json.dumps(result))
    with pytest.raises(RunError, match=rf"bench\.json is damaged: {key} is .*permitted: "):
        read_bench(file)
