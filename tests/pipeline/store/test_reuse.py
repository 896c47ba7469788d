"""What a search takes over from another run."""

from __future__ import annotations

import shutil
from pathlib import Path

from compresskit.pipeline.store.reuse import take_over
from compresskit.runs import RunDirectory


def test_what_is_taken_from_a_read_only_run_can_be_written(run: Path, tmp_path: Path) -> None:
    archived = shutil.copytree(run, tmp_path / "archived")
    for path in (*archived.rglob("*"), archived):
        path.chmod(0o555 if path.is_dir() else 0o444)
    source = RunDirectory.open(archived)
    with RunDirectory.create(tmp_path / "next", source.settings) as mine:
        take_over(source, mine)
    taken = [*mine.supernet.rglob("*")]
    names = {str(path.relative_to(mine.supernet)) for path in taken}
    assert {"dense_model/config.json", "model/parts.json", "progress.jsonl"} <= names
    assert [path for path in taken if not path.stat().st_mode & 0o200] == []
