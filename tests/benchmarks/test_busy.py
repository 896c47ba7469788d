"""What the benchmark of a busy machine makes of its raw figures, and that its loads come and go."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import psutil
import pytest

from benchmarks.latency.busy.gate import verdicts
from benchmarks.latency.busy.graphs import uneven
from benchmarks.latency.busy.loads import under
from benchmarks.latency.busy.table import gate_shortfalls, judged, shortfalls
from compresskit.architecture import Dimensions

MINILM = Dimensions(num_layers=6, num_heads=12, head_size=32, num_units=1536, hidden_size=384)


def measured(*front: tuple[float, float, str]) -> dict[str, Any]:
    """From (speed-up, half-width, mark or ""); all candidates alone are twice as fast as dense."""
    return {
        "front": [
            {"speedup": times, "ci": [times - half, times + half], "marks": [mark] if mark else []}
            for times, half, mark in front
        ],
        "candidates": [{"latency_ms": 10.0}, *({"latency_ms": 5.0} for _ in front)],
        "candidates_seconds": 1.0,
        "front_seconds": 2.0,
    }


def test_marked_figures_may_be_off_and_others_not() -> None:
    figures = measured((2.0, 0.02, ""), (2.4, 0.02, "busy"), (2.08, 0.05, ""))
    found = judged(figures, [2.0, 2.0, 2.0])
    assert (found["off_unmarked"], found["covered"]) == (0, [True, False])
    assert found["marked_share"] == pytest.approx(1 / 3)
    assert found["largest_error"] == pytest.approx(0.2)
    assert found["largest_unmarked"] == found["median_error"] == pytest.approx(0.04)
    assert found["median_error_alone"] == 0
    missed = shortfalls("quiet", found)
    assert [text.partition(": ")[2].split()[0] for text in missed] == ["marked", "median", "50"]
    assert len(shortfalls("crowd", found)) == 1  # a third may be marked there, and 4 % is right
    off = judged(measured((2.4, 0.02, "")), [2.0])
    assert "1 speed-ups are off by more than 10 %, unmarked" in shortfalls("crowd", off)[0]
    assert shortfalls("quiet", judged(measured((2.0, 0.02, "")), [2.0])) == []


def test_a_gate_is_wrong_on_either_side() -> None:
    tries = [
        {"truth": 2.0, "limit": 2.1, "exit": 0},
        {"truth": 2.0, "limit": 2.1, "exit": 3},
        {"truth": 2.0, "limit": 1.9, "exit": 3},
        {"truth": 2.0, "limit": 1.9, "exit": 4},
    ]
    found = verdicts(tries)
    assert found == {"tries": 4, "decided": 3, "false passes": 1, "false fails": 1}
    assert len(gate_shortfalls("quiet", found)) == 3 and len(gate_shortfalls("loops", found)) == 2


def test_architectures_are_uneven_and_of_the_size_asked_for() -> None:
    rng = np.random.default_rng(0)
    for size in (1 / 30, 0.2, 0.95):
        found = uneven(MINILM, size, rng)
        assert found.relative_size(MINILM) == pytest.approx(size, rel=0.1)
        assert len(set(found.shapes)) > 1


@pytest.mark.parametrize("condition", ["loops", "crowd", "flood"])
def test_loads_end_with_their_condition(condition: str) -> None:
    me = psutil.Process()
    before = {child.pid for child in me.children()}
    with pytest.raises(KeyboardInterrupt), under(condition):
        started = {child.pid for child in me.children()} - before
        number = {"loops": 1, "crowd": 2, "flood": 0}[condition] * len(os.sched_getaffinity(0)) or 1
        assert len(started) == number
        raise KeyboardInterrupt
    assert not started & {child.pid for child in me.children()}
