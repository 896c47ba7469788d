"""Which reference runs beside a candidate, and the levels that they share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compresskit.target.base import SessionSettings
from compresskit.target.loaded_references import References, built_in
from compresskit.target.profile import Profile
from compresskit.target.reference_graphs import LARGE_BYTES, default_reference, large_reference
from compresskit.target.reference_level import Baselines, fingerprint
from tests.target.graphs import chain
from tests.target.machine import Machine

TIMES = {"reference": 1.0, "large reference": 7.0, "own reference": 2.0}
PROFILE = Profile("p")


class Worker(Machine):
    """A child process on the simulated machine."""

    def __init__(self, pid: int = 1, slowdown: float = 1.0, **kind: Any) -> None:
        super().__init__(TIMES, 0, **kind)
        self.slowdown = slowdown
        self.pid = pid
        self.loads: list[str] = []

    def load(self, slot: str, model: bytes, spec: object) -> None:
        del model, spec
        self.loads.append(slot)


def references(path: Path | None = None) -> References:
    return References(PROFILE, Baselines(path, {}), None)


def test_the_size_chooses() -> None:
    target, worker = references(), Worker()
    small = target.choose(worker, None, LARGE_BYTES - 1)  # type: ignore[arg-type]
    large = target.choose(worker, None, LARGE_BYTES)  # type: ignore[arg-type]
    assert (small.model, large.model) == (default_reference(), large_reference())
    assert small.slot != large.slot
    assert target.levels_ms() == {each.key: target.level_ms(each) for each in (small, large)}
    own = target.choose(worker, chain(), LARGE_BYTES)  # type: ignore[arg-type]
    assert own.key.startswith(fingerprint(chain())) and own.key not in target.levels_ms()
    assert target.level_ms(own) == pytest.approx(2, rel=0.05)


def test_the_lowest_state_that_was_met_is_the_level(tmp_path: Path) -> None:
    """Each reference judges itself; what is lower by no more than noise changes nothing."""
    path = tmp_path / "levels.json"
    target = references(path)
    small = target.choose(Worker(slowdown=2.0), None, 0)  # type: ignore[arg-type]
    large = built_in()[1]
    assert target.level_ms(small) == pytest.approx(2, rel=0.02)
    assert target.met(small, target.level_ms(small) * 0.98) == target.level_ms(small)
    assert target.met(small, 1.0) == target.level_ms(small) == Baselines(path, {}).get(small.key) == 1.0
    assert target.met(small, 1.5) == 1.0
    assert target.level_ms(large) == pytest.approx(14, rel=0.02)


def test_levels_are_of_one_state_of_the_machine(tmp_path: Path) -> None:
    """One that is known from another state, as an older file has it, carries the others to that state."""
    small, large = built_in()
    path = tmp_path / "levels.json"
    Baselines(path, {}).put(small.key, 1.3)
    target = references(path)
    target.choose(Worker(), None, LARGE_BYTES)  # type: ignore[arg-type]
    assert target.levels_ms() == pytest.approx({small.key: 1.3, large.key: 1.3 * 7}, rel=0.02)
    assert Baselines(path, {}).get(large.key) == target.level_ms(large)


def test_each_is_loaded_once_a_worker() -> None:
    target, first, second = references(), Worker(1), Worker(2)
    for worker in (first, first, second, second):
        for size in (0, LARGE_BYTES):
            target.choose(worker, None, size)  # type: ignore[arg-type]
    assert first.loads == second.loads == ["reference", "large reference"]
    level = target.level_ms(built_in()[0])
    second.slowdown = 2.0
    target.choose(second, None, 0)  # type: ignore[arg-type]
    assert target.level_ms(built_in()[0]) == level


def test_another_own_reference_takes_the_place_of_the_last() -> None:
    target, worker = references(), Worker()
    for width in (4, 4, 8, 4):
        target.choose(worker, chain(width=width), 0)  # type: ignore[arg-type]
    assert worker.loads == ["own reference"] * 3


def test_one_graph_in_two_sessions_is_two_references() -> None:
    target, worker = references(), Worker()
    plain = target.choose(worker, chain(), 0)  # type: ignore[arg-type]
    other = target.choose(worker, chain(), 0, SessionSettings(optimization_level="basic"))  # type: ignore[arg-type]
    assert plain.key != other.key
    assert worker.loads == ["own reference"] * 2
