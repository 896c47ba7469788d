"""The checks of `benchmarks.faults` find what they are for; small versions of both commands run."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.faults import agent, resume
from benchmarks.faults.killed import Snapshot, stage_of
from benchmarks.faults.traffic import mutated


def snapshot(ids: Sequence[int], keys: Sequence[str]) -> Snapshot:
    return Snapshot(
        tuple(json.dumps({"trial_id": number}) for number in ids),
        tuple(json.dumps({"key": key}) for key in keys),
    )


def test_lost_and_changed_records_are_found() -> None:
    before, after = snapshot([0, 1], "ab"), snapshot([0, 1, 2], "abc")
    assert resume.kept(before, after) == []
    assert resume.kept(after, before) == [
        "trials.jsonl: 3 records before are no longer its first",
        "latencies.jsonl: 3 records before are no longer its first",
    ]


@pytest.mark.parametrize(
    ("ids", "keys", "fault"),
    [
        ([0, 1], "ab", None),
        ([0, 1, 1], "ab", "trial ids"),
        ([0, 2], "ab", "trial ids"),
        ([0, 1], "aba", "measured twice"),
        ([0, 1, 2], "aba", None),  # all trials are done: points of the front are measured once more
        ([0, 1, 2], "abaa", "three times"),
    ],
)
def test_repeated_records_are_found(ids: list[int], keys: str, fault: str | None) -> None:
    found = resume.whole(snapshot(ids, keys), trials=3)
    assert (found == []) if fault is None else (fault in found[0])


def test_a_correction_is_no_measurement() -> None:
    lines = [
        json.dumps({"key": key, "samples_ms": samples, "corrected_median_ms": middle})
        for key, samples, middle in (("a", [1, 2], 1.5), ("b", [3], 3), ("a", [1, 2], 1.4), ("a", [2], 2))
    ]
    assert Snapshot((), tuple(lines)).measured_keys == ["a", "b", "a"]
    assert Snapshot((), (*lines, lines[0])).measured_keys == ["a", "b", "a", "a"]  # written twice


def test_moments_are_spread_over_the_whole_time() -> None:
    moments = resume.draw(20, 40.0, random.Random(0))
    assert [int(moment // 2) for moment in moments] == list(range(20))
    assert moments != resume.draw(20, 40.0, random.Random(1))


def test_stages_are_told_by_what_was_said() -> None:
    assert stage_of("") == "start-up"
    assert stage_of("scoring dense: 90 rows") == "dense model"
    assert stage_of("supernet-2: step 1 of 3") == "super-network"
    assert stage_of("trial 3: accuracy 0.9") == "search"
    assert stage_of("scoring the front") == "final front"


def test_mutations_change_something() -> None:
    rng = random.Random(0)
    assert sum(mutated(b"some bytes of a request", rng) != b"some bytes of a request" for _ in range(50)) > 45


@pytest.mark.slow
def test_two_kills_lose_nothing(tmp_path: Path) -> None:
    found = resume.measure(tmp_path, kills=2, seed=0, trials=4, rows=200)
    assert found["faults"] == []
    assert found["killed_before_its_end"] == 2


@pytest.mark.slow
def test_an_agent_under_a_small_load(tmp_path: Path) -> None:
    found = agent.measure(tmp_path, 30, clients=5, silent=150)
    # Its memory is still warming up, and a busy machine answers late.
    assert [fault for fault in found["faults"] if not fault.startswith(("memory", "answers"))] == []
