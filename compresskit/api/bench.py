"""`compresskit.bench`: engines side by side on a device, and what a gate makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from compresskit.options.bench import BenchOptions
from compresskit.options.declare import normalized, takes
from compresskit.options.told import Told
from compresskit.pipeline import bench as pipeline
from compresskit.pipeline.benching.gate import check_keys, parse_condition
from compresskit.pipeline.benching.result import BenchResult
from compresskit.pipeline.benching.verdict import Outcome, judge, limits_of


@takes(BenchOptions)
def bench(**given: Any) -> BenchResult:
    """Measure engines side by side on a device: each in a fresh process, in turn, in random order.

    Ratios are against `baseline`. Conditions of `fail_if` that hold are in `failed` of the result, those
    that a busy machine leaves open in `undecided`. Raises CompresskitError for anything the user can correct.
    """
    say = given.pop("say", Told.say)
    asked = BenchOptions(**{name: normalized(BenchOptions, name, value) for name, value in given.items()})
    conditions = [parse_condition(text) for text in asked.fail_if]
    baseline = () if asked.baseline is None else (asked.baseline,)
    check_keys(conditions, len({Path(path) for path in (*asked.engines, *baseline)}))
    result = pipeline.bench(
        asked.engines,
        baseline=asked.baseline,
        profile=asked.profile,
        dataset=asked.dataset,
        text_columns=asked.text_column,
        label_column=asked.label_column,
        report=asked.report,
        history=asked.history,
        limits=() if asked.allow_busy else limits_of(conditions),
        say=say,
    )
    verdicts = judge(conditions, result.to_json(), allow_busy=asked.allow_busy)
    failed, undecided = (
        tuple(str(verdict) for verdict in verdicts if verdict.outcome is outcome)
        for outcome in (Outcome.HOLDS, Outcome.UNDECIDED)
    )
    return replace(result, failed=failed, undecided=undecided)
