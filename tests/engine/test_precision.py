from __future__ import annotations

import pytest

from compresskit.engine.precision import PrecisionTrial, choose_precision
from compresskit.errors import EngineError

FP32 = PrecisionTrial("fp32", 4.0, 0.905)


def test_the_fastest_within_the_drop_is_chosen() -> None:
    int8 = PrecisionTrial("int8", 2.0, 0.900)
    fp16 = PrecisionTrial("fp16", 3.0, 0.905)
    found = choose_precision([FP32, fp16, int8], max_drop=0.5)
    assert found.chosen == int8
    assert found.reasons == {"fp32": "4.000 ms against 2.000 ms", "fp16": "3.000 ms against 2.000 ms"}


def test_it_is_said_why_not() -> None:
    trials = [
        FP32,
        PrecisionTrial("int8", 2.0, 0.890),
        PrecisionTrial("fp16", None, None, "no fp16 kernels"),
    ]
    found = choose_precision(trials, max_drop=0.5)
    assert found.chosen == FP32
    assert found.reasons == {"int8": "loses 1.50 points, 0.5 are permitted", "fp16": "no fp16 kernels"}


def test_a_slower_precision_is_not_chosen() -> None:
    assert choose_precision([FP32, PrecisionTrial("int8", 5.0, 0.95)], max_drop=0.5).chosen == FP32


def test_fp32_must_have_been_measured() -> None:
    with pytest.raises(EngineError, match="out of memory"):
        choose_precision([PrecisionTrial("fp32", None, None, "out of memory")], max_drop=1)
    with pytest.raises(EngineError, match="not tried"):
        choose_precision([], max_drop=1)
