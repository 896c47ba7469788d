"""Stages on a terminal: what stands while they last, and what stays."""

from __future__ import annotations

import io
import re
import sys

import pytest
from rich.console import Console

from compresskit.cli import output
from compresskit.cli.bars import Bars, clock_time
from compresskit.display import Lines


def terminal(width: int = 80) -> tuple[Bars, Console]:
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=20, color_system=None)
    return Bars(console), console


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", console.file.getvalue())


def standing(bars: Bars, console: Console) -> list[str]:
    """The lines of the stages under way."""
    paper = Console(file=io.StringIO(), width=console.width, color_system=None)
    paper.print(bars._render())
    return written(paper).splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_stage_is_a_line_with_count_and_time_left(width: int) -> None:
    bars, console = terminal(width)
    with bars.stage("search into runs"), bars.stage("trials", 60, "trials") as counter:
        counter.advance(12)
        counter.expect(seconds_left=75.0)
        counter.describe("best within 1 point of dense: trial 7, 1.234 ms, accuracy 0.9512 " + "x" * width)
        lines = standing(bars, console)
    assert len(lines) == 3 and max(map(len, lines)) < width
    assert lines[0].startswith("search into runs")
    assert lines[1].startswith("trials") and lines[1].rstrip().endswith("12/60 trials    1:15 left")
    assert lines[2].startswith("  best within 1 point of dense: trial 7")


def test_without_a_total_the_time_so_far_stands() -> None:
    bars, console = terminal()
    with bars.stage("exporting the graph") as counter:
        assert standing(bars, console)[0].rstrip().endswith(" 0:00")
        counter.expect(seconds_left=9.0)
        assert standing(bars, console)[0].rstrip().endswith("0:09 left")


def test_a_stage_that_has_ended_leaves_one_line_and_the_bars_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compresskit.cli.bars._TOLD_FROM", 0.0)
    bars, console = terminal()
    with bars.stage("scoring", 1200, "rows") as counter:
        bars("a note [with brackets] " + "of many words " * 10)
        counter.advance(1200)
    assert "scoring: 1,200 rows in 0:00\n" in written(console)
    notes = [line for line in written(console).splitlines() if "words" in line or "note" in line]
    assert " ".join(" ".join(notes).split()) == ("a note [with brackets] " + "of many words " * 10).strip()
    assert len(notes) == 3 and all(line.strip().endswith(("words", "many", "of")) for line in notes)
    assert bars._rows == [] and not bars._live.is_started


def test_a_stage_that_fails_leaves_no_line_and_no_bar() -> None:
    bars, console = terminal()
    with pytest.raises(KeyboardInterrupt), bars.stage("whole"), bars.stage("scoring", 2, "rows"):
        raise KeyboardInterrupt
    assert " in 0:" not in written(console)
    assert bars._rows == [] and not bars._live.is_started


@pytest.mark.parametrize(("seconds", "text"), [(7.4, "0:07"), (75, "1:15"), (3723, "1:02:03")])
def test_times(seconds: float, text: str) -> None:
    assert clock_time(seconds) == text


def test_a_pipe_gets_lines_on_stderr_and_nothing_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with output.say.stage("scoring", 2, "rows") as counter:
        counter.advance(2)
        output.say("a note")
    assert capsys.readouterr() == ("", "scoring: 2 rows\na note\n")


def test_a_terminal_gets_bars_and_stdout_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    err, out = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("TERM", "xterm")
    with output.say.stage("scoring", 2, "rows") as counter:
        counter.advance(2)
        output.say("a note")
        output.print_json({"trials": 2})
    assert out.getvalue() == '{\n  "trials": 2\n}\n'
    assert "\x1b[" in err.getvalue() and "a note" in err.getvalue()
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(output._display(), Lines)
