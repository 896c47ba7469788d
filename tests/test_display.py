"""Progress as a log has it, as nobody sees it, and how long is left."""

from __future__ import annotations

import pytest

from compresskit.display import SILENT, Lines, Pace, counted, display_of, format_seconds


class Watch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_a_line_as_a_stage_begins_and_those_it_gives() -> None:
    said: list[str] = []
    lines = Lines(said.append)
    lines("a note")
    with lines.stage("reading"):
        pass
    with lines.stage("scoring", 12_000, "rows") as counter:
        for _ in counted(range(3), counter):
            counter.describe("for a bar alone")
        counter.describe("best: trial 3", "trial 3: accuracy 0.9")
        counter.expect(total=13_000, seconds_left=2.0)
    assert said == ["a note", "reading", "scoring: 12,000 rows", "trial 3: accuracy 0.9"]


def test_silence_takes_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    SILENT("a note")
    with SILENT.stage("scoring", 2, "rows") as counter:
        counter.advance(2)
        counter.describe("text", "line")
    assert capsys.readouterr() == ("", "")


def test_what_takes_lines_becomes_a_display_and_a_display_stays() -> None:
    said: list[str] = []
    with display_of(said.append).stage("reading"):
        pass
    assert said == ["reading"]
    assert display_of(SILENT) is SILENT


def test_things_are_counted_once_they_are_done() -> None:
    done: list[float] = []
    with SILENT.stage("scoring") as counter:
        counter.advance = lambda count=1.0: done.append(count)  # type: ignore[method-assign]
        for item in counted("abc", counter):
            assert len(done) == "abc".index(item)
    assert done == [1.0, 1.0, 1.0]


def test_the_first_unit_is_not_expected_again() -> None:
    watch = Watch()
    pace = Pace(10, now=watch)
    assert pace.seconds_left is None
    watch.now += 30  # sets up
    pace.advance(1)
    assert pace.seconds_left is None
    watch.now += 2
    pace.advance(1)
    assert pace.seconds_left == pytest.approx(8 * 2)
    watch.now += 1
    assert pace.seconds_left == pytest.approx(8 * 2 - 1)
    assert pace.share == 0.2


def test_what_was_done_before_counts_for_no_pace() -> None:
    watch = Watch()
    pace = Pace(100, now=watch)
    pace.advance(60)  # of an interrupted run
    watch.now += 5
    pace.advance(1)
    assert pace.seconds_left == pytest.approx(39 * 5)


def test_an_expectation_holds_until_units_tell_better() -> None:
    watch = Watch()
    pace = Pace(100, expected_seconds=200.0, now=watch)
    assert pace.seconds_left == pytest.approx(200.0)
    pace.advance(0.0)
    for _ in range(90):
        watch.now += 4.0
        pace.advance(1)
    assert pace.seconds_left == pytest.approx(10 * 4.0, rel=0.1)


def test_a_total_that_is_known_late_is_counted_by_the_expectation_for_all() -> None:
    pace = Pace(None, expected_seconds=60.0, now=Watch())
    assert pace.seconds_left == pytest.approx(60.0)
    pace.expect(6, None)
    assert pace.seconds_left == pytest.approx(60.0)


def test_an_end_that_is_known_goes_first() -> None:
    watch = Watch()
    pace = Pace(10, expected_seconds=500.0, now=watch)
    pace.advance(1)
    pace.expect(None, 42.0)
    watch.now += 2
    assert pace.seconds_left == pytest.approx(40.0)
    watch.now += 60
    assert pace.seconds_left == 0.0


def test_the_whole_is_what_went_by_and_what_is_left_without_the_setting_up() -> None:
    watch = Watch()
    pace = Pace(100, now=watch)
    watch.now += 30
    pace.advance(50)  # of an interrupted run, but one
    assert pace.whole_seconds is None
    for _ in range(49):
        watch.now += 2
        pace.advance(1)
    pace.expect(None, 2 + 40.0)  # a step, and an evaluation
    assert pace.whole_seconds == pytest.approx(100 * 2 + 2 * 40)


def test_times_as_people_say_them() -> None:
    assert [format_seconds(s) for s in (7.4, 61, 3600 + 120)] == ["7 s", "1 min 1 s", "1 h 2 min"]
