"""The final front: what a second look at its latencies does to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from compresskit.architecture import Candidate
from compresskit.pipeline.front import write_front
from compresskit.pipeline.latency import CandidateLatency
from compresskit.runs import Front, RunDirectory
from compresskit.search.constraints import UNBOUND
from compresskit.search.objectives import make_objectives
from tests.report.runs import FULL, HALF, UNEVEN, trial

FAST = replace(trial(0), latency_ms=4.0, metric=0.8)
SLOW = replace(
    trial(1, metric=0.79), architecture=UNEVEN.to_json(), signature=UNEVEN.signature, latency_ms=4.5
)


class Evaluator:
    """Scores every candidate as it was; the meter's second look finds `better` by signature."""

    def __init__(self, better: dict[str, float]) -> None:
        self.better = better
        self.asked: list[str] = []
        self.meter = self
        self.supernet = SimpleNamespace(full=FULL)
        self.stage = SimpleNamespace(task=SimpleNamespace(validation=None))
        self.blueprint = SimpleNamespace(num_params=lambda architecture: 1)

    def measure_again(self, candidate: Candidate) -> CandidateLatency:
        self.asked.append(candidate.signature)
        ms = self.better[candidate.signature]
        return CandidateLatency(ms, (0.99 * ms, 1.01 * ms), 1)

    def metric(self, candidate: Candidate, *_: Any) -> float:
        return 0.8 if candidate.signature == HALF.signature else 0.79

    def macs(self, architecture: Any) -> int:
        return 1


def final(folder: Path, better: dict[str, float]) -> tuple[Front, list[str]]:
    evaluator: Any = Evaluator({FULL.signature: 9.0, **better})
    with RunDirectory.create(folder / "run", {}) as run:
        run.update(dense_metric=0.9)
        objectives = make_objectives(("metric", "latency_ms"))
        found = write_front(run, [FAST, SLOW], objectives, evaluator, "accuracy", UNBOUND)
    return found, evaluator.asked


def test_latencies_of_the_front_are_those_of_the_second_look(tmp_path: Path) -> None:
    found, asked = final(tmp_path, {HALF.signature: 3.9})
    assert [point.latency_ms for point in found.points] == [3.9]
    assert asked == [HALF.signature, FULL.signature]


def test_point_that_turns_out_slow_lets_another_one_onto_the_front(tmp_path: Path) -> None:
    found, asked = final(tmp_path, {HALF.signature: 5.0, UNEVEN.signature: 4.4})
    assert [(point.latency_ms, point.metric) for point in found.points] == [(4.4, 0.79), (5.0, 0.8)]
    assert asked == [HALF.signature, UNEVEN.signature, FULL.signature]
