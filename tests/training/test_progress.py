from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from compresskit.training import progress
from compresskit.training.progress import Progress, ProgressCallback


def report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: list[float], start: int = 0
) -> list[Progress]:
    """What is heard when the steps from `start` of 100 end at these seconds."""
    heard: list[Progress] = []
    now = 0.0
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now))
    callback = ProgressCallback("supernet", tmp_path / "progress.jsonl", heard.append)
    state: Any = SimpleNamespace(global_step=start, max_steps=100, is_world_process_zero=True)
    control: Any = SimpleNamespace(should_training_stop=False, should_save=False)
    arguments: Any = None
    callback.on_train_begin(arguments, state, control)
    for end in ends:
        now = end
        state.global_step += 1
        callback.on_step_end(arguments, state, control)
    return heard


@pytest.mark.parametrize("start", [0, 40])
def test_what_the_first_step_sets_up_is_not_expected_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: int
) -> None:
    (heard,) = report(tmp_path, monkeypatch, [11.0, 12.0, 13.0], start)
    assert (heard.step, heard.seconds) == (start + 3, 13.0)
    assert heard.seconds_left == pytest.approx(97 - start)


def test_reports_come_every_few_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = report(tmp_path, monkeypatch, [2.0 * step for step in range(1, 16)])
    assert [one.step for one in heard] == [5, 10, 15]


def test_the_last_step_is_always_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (heard,) = report(tmp_path, monkeypatch, [0.5], start=99)
    assert (heard.step, heard.seconds_left) == (100, 0.0)
