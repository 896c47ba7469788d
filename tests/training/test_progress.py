"""What a training says on its way, and when it says that it will end."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from compresskit.training import progress
from compresskit.training.progress import Progress, ProgressCallback


class Heard:
    """A counter that keeps all it hears."""

    def __init__(self) -> None:
        self.counted: list[float] = []
        self.left: list[float | None] = []
        self.texts: list[str] = []
        self.lines: list[str | None] = []

    def advance(self, count: float = 1.0) -> None:
        self.counted.append(count)

    def expect(self, total: float | None = None, seconds_left: float | None = None) -> None:
        self.left.append(seconds_left)

    def describe(self, text: str, line: str | None = None) -> None:
        self.texts.append(text)
        self.lines.append(line)


class Training:
    """100 steps whose ends are set, with evaluations that take `evaluating` seconds each, if any."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, evaluating: float | None = None
    ) -> None:
        self.now = 0.0
        self.heard = Heard()
        self.log = folder / "progress.jsonl"
        monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: self.now))

        def evaluate() -> float:
            self.now += evaluating or 0.0
            return 0.5

        self.callback = ProgressCallback(
            "supernet",
            self.log,
            self.heard,
            None if evaluating is None else evaluate,
            evaluation_steps=20.0,
        )
        self.arguments: Any = None
        self.control: Any = SimpleNamespace(should_training_stop=False, should_save=False)
        self.state: Any = SimpleNamespace(global_step=0, max_steps=100, is_world_process_zero=True)

    def run(self, seconds: list[float], start: int = 0) -> Heard:
        """Steps after `start` that take so long each."""
        self.state.global_step = start
        self.callback.on_train_begin(self.arguments, self.state, self.control)
        for each in seconds:
            self.now += each
            self.state.global_step += 1
            self.callback.on_step_end(self.arguments, self.state, self.control)
        return self.heard

    @property
    def records(self) -> list[Progress]:
        return [Progress(**json.loads(line)) for line in self.log.read_text().splitlines()]


@pytest.mark.parametrize("start", [0, 40])
def test_what_the_first_step_sets_up_is_not_expected_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: int
) -> None:
    training = Training(tmp_path, monkeypatch)
    heard = training.run([11.0, 1.0, 1.0], start)
    assert heard.counted == [start + 1, 1, 1]
    assert heard.left == pytest.approx([98 - start, 97 - start])  # nothing after the first step
    (record,) = training.records
    assert (record.step, record.seconds) == (start + 3, 13.0)
    assert record.seconds_left == pytest.approx(97 - start)


def test_reports_come_every_few_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(tmp_path, monkeypatch)
    heard = training.run([2.0] * 15)
    assert [one.step for one in training.records] == [5, 10, 15]
    assert heard.lines[0] == "supernet: step 5 of 100 (5%), 3 min 10 s left"


def test_the_last_step_is_always_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training(tmp_path, monkeypatch)
    heard = training.run([0.5], start=99)
    assert [(one.step, one.seconds_left) for one in training.records] == [(100, 0.0)]
    assert heard.left == [0.0]


def test_evaluations_are_expected_by_their_cost_and_then_by_what_they_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(tmp_path, monkeypatch, evaluating=50.0)
    heard = training.run([1.0] * 30)
    after = dict(zip(range(2, 31), heard.left, strict=True))
    assert after[24] == pytest.approx(76 + 4 * 20)
    assert after[25] == pytest.approx(75 + 3 * 50)
    assert after[30] == pytest.approx(70 + 3 * 50)
    assert heard.texts == ["", "", "metric 0.5000", ""]


def test_the_time_left_is_right_where_steps_and_evaluations_keep_their_pace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(tmp_path, monkeypatch, evaluating=20.0)
    training.run([5.0] + [1.0] * 99)
    end = training.now
    told = [(record.seconds, record.seconds_left) for record in training.records]
    assert [seconds + left for seconds, left in told] == pytest.approx([end] * len(told))
