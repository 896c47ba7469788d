"""What `search` says of the time it will take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from compresskit.display import Counter, Lines
from compresskit.pipeline.training.time_estimate import EXACT, TimedDisplay, Work


class Search:
    """A search of three stages, on a machine whose speed is known: a second a full step, two a look."""

    def __init__(self, dense: float = 100.0, second_a_step: float = 1.0, second_a_look: float = 2.0) -> None:
        self.now = 0.0
        self.a_step = self.an_order_step = second_a_step
        self.a_look = second_a_look
        self.said: list[tuple[float, str]] = []
        self.display = TimedDisplay(Lines(lambda line: self.said.append((self.now, line))), lambda: self.now)
        self.works = {
            "training dense": Work(dense, trains=True),
            "order": Work(12),
            "choosing": Work(looks=14),
            "trials": Work(30, looks=24),
            "front": Work(10, looks=5),
        }

    def run(self, planned_look: float = 2.0) -> None:
        with self.display.whole("search into run"):
            self.display.plan(self.works, planned_look)
            for name, work in self.works.items():
                with self.display.stage(name, 50, "units") as counter:
                    self.work(counter, work)

    def work(self, counter: Counter, work: Work) -> None:
        is_other = work.exact_steps or work == self.works.get("order")
        steps = (work.full_steps + work.exact_steps) * (self.an_order_step if is_other else self.a_step)
        for _ in range(50):
            self.now += (steps + work.looks * self.a_look) / 50
            counter.advance()

    @property
    def told(self) -> list[tuple[float, float]]:
        """(when, seconds that the whole is said to take from then on)."""
        return [(at, seconds_of(line)) for at, line in self.said if line.startswith("the whole search needs")]


def seconds_of(line: str) -> float:
    parts = ((3600, "h"), (60, "min"), (1, "s"))
    return sum(size * int((re.search(rf"(\d+) {unit}\b", line) or [0, 0])[1]) for size, unit in parts)


@pytest.mark.parametrize("second_a_step", [0.5, 1.0, 20.0])
def test_a_steady_machine_is_told_right_from_the_first_steps_on(second_a_step: float) -> None:
    search = Search(second_a_step=second_a_step)
    search.run()
    told = search.told
    assert told[0][0] <= max(12.0, 0.05 * search.now)
    assert len(told) == 5  # once known, and as each later stage begins
    assert [at + left for at, left in told] == pytest.approx([search.now] * 5, abs=1)


def test_what_is_taken_for_a_look_is_learnt_from_looks() -> None:
    search = Search(second_a_look=8.0)
    search.run(planned_look=2.0)
    told = search.told
    assert told[0][0] + told[0][1] == pytest.approx(search.now - 43 * 6, abs=2)  # of 43 looks
    begun = next(at for at, line in search.said if line == "trials: 50 units")
    at, left = next(pair for pair in told if pair[0] >= begun)
    assert at + left == pytest.approx(search.now, rel=0.05)


def test_what_is_no_training_does_not_tell_what_a_training_step_takes() -> None:
    search = Search()
    search.an_order_step = 5.0
    search.run()
    begun = next(at for at, line in search.said if line == "choosing: 50 units")
    at, left = next(pair for pair in search.told if pair[0] >= begun)
    assert at + left == pytest.approx(search.now, abs=1)


def test_an_estimate_that_turns_out_wrong_is_told_again() -> None:
    search = Search(dense=1000.0)
    with search.display.whole("search into run"):
        search.display.plan(search.works, 2.0)
        with search.display.stage("training dense", 100, "steps") as counter:
            for step in range(100):
                search.now += 1.0 if step < 30 else 20.0  # another program has begun
                counter.advance()
    first, *others = search.told
    assert first[1] < 0.2 * (search.now - first[0])
    assert others and others[-1][0] + others[-1][1] > 0.7 * search.now


def test_nothing_is_promised_before_a_step_was_timed() -> None:
    search = Search()
    search.display.plan(search.works, 2.0)
    with search.display.stage("reading"), search.display.stage("training dense", 50, "steps") as counter:
        counter.advance()
    assert search.told == []


def test_what_is_computed_in_float32_tells_what_that_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compresskit.pipeline.training.time_estimate.has_fast_bf16", lambda: True)
    search = Search()
    search.an_order_step = 4.0
    search.works |= {"order": Work(exact_steps=12), "front": Work(exact_steps=10, looks=5)}
    search.run()
    begun = {line: at for at, line in search.said}
    first, later = (
        search.told[0],
        next(pair for pair in search.told if pair[0] >= begun["choosing: 50 units"]),
    )
    assert first[0] + first[1] == pytest.approx(search.now - 22 * (4.0 - EXACT), abs=2)
    assert later[0] + later[1] == pytest.approx(search.now, abs=1)


def test_a_later_training_tells_of_trainings_alone() -> None:
    search = Search()
    shared = {"training a": Work(40, trains=True), "training b": Work(60, trains=True)}
    search.works = {"training dense": search.works.pop("training dense"), **shared, **search.works}
    with search.display.whole("search into run"):
        search.display.plan(search.works, 2.0)
        for name, work in search.works.items():
            search.a_step = 3.0 if name in shared else 1.0
            with search.display.stage(name, 50, "units") as counter:
                search.work(counter, work)
    begun = {line: at for at, line in search.said}
    left = dict(search.told)
    assert begun["training b: 50 units"] + left[begun["training b: 50 units"]] == pytest.approx(
        search.now, abs=1
    )
    assert begun["choosing: 50 units"] + left[begun["choosing: 50 units"]] == pytest.approx(search.now, abs=1)


def test_trials_tell_what_a_step_takes_where_no_training_did() -> None:
    search = Search()
    for name in ("training dense", "order", "choosing"):
        del search.works[name]
    search.run()
    at, left = search.told[-1]
    assert at + left == pytest.approx(search.now, abs=1)


def test_stages_that_no_plan_has_are_shown_and_not_counted() -> None:
    search = Search()
    with search.display.stage("reading", 3, "files") as counter:
        counter.advance(3)
        counter.describe("", "a line")
    assert [line for _, line in search.said] == ["reading: 3 files", "a line"]


def test_a_stage_shows_what_is_expected_of_it_before_it_tells_itself() -> None:
    shown: list[float | None] = []

    class Shown(Lines):
        @contextmanager
        def stage(self, name: str, total: float | None = None, unit: str = "") -> Iterator[Counter]:
            with super().stage(name, total, unit) as counter:
                counter.expect = lambda total=None, seconds_left=None: shown.append(seconds_left)  # type: ignore
                yield counter

    now = 0.0
    display = TimedDisplay(Shown(lambda _: None), lambda: now)
    display.plan({"choosing": Work(looks=14)}, 2.0)
    with display.stage("choosing", 14, "forms") as counter:
        for _ in range(14):
            now += 4.0
            counter.advance()
    assert shown[0] == pytest.approx(28.0)
    assert shown[-2] == pytest.approx(4.0, rel=0.2)
    assert shown[-1] == 0.0
