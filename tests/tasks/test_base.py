"""Nobody but tasks knows what rows look like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import compresskit
from compresskit.tasks.registry import task_kinds

PACKAGE = Path(compresskit.__file__).parent


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("pad_token_id", {"families", "tasks", "bundle"}),
        (r"For(Sequence|Token)Classification", {"tasks"}),
        (r"logits[^.]{0,20}\(rows, labels\)", {"tasks"}),
    ],
)
def test_what_only_tasks_know(name: str, places: set[str]) -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(name, path.read_text(encoding="utf-8"))
    }
    assert not {file for file in found if not any(file.startswith(place) for place in places)}


def test_a_task_is_one_short_file() -> None:
    for kind in task_kinds().values():
        file = PACKAGE / Path(*kind.__module__.split(".")[1:]).with_suffix(".py")
        assert file.parent == PACKAGE / "tasks"
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 250
