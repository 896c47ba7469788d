from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import DiskFullError, RunError
from compresskit.runs import atomic_path, write_atomic
from compresskit.runs.atomic import atomic_folder, sync_tree


def test_writes_and_replaces(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    write_atomic(file, "one")
    write_atomic(file, b"two")
    assert file.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [file]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(file) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_full_disk_is_the_users_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("old")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=rf"no space left .*{file}.*Free some space"):
        write_atomic(file, b"new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_missing_folder_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot write"):
        write_atomic(tmp_path / "absent" / "file", b"")


def test_a_full_disk_is_told_with_its_folder_and_bytes(tmp_path: Path) -> None:
    with (
        pytest.raises(
            DiskFullError, match=rf"3 bytes of it were written, [\d,]+ bytes are free in {tmp_path}"
        ),
        atomic_path(tmp_path / "file") as temporary,
    ):
        temporary.write_text("abc")
        raise Exception("No space left on device (os error 28)")  # as safetensors says it
    assert list(tmp_path.iterdir()) == []


def test_other_errors_of_libraries_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no tensor"), atomic_path(tmp_path / "file"):
        raise ValueError("no tensor")
    with pytest.raises(ValueError, match="no tensor"), atomic_folder(tmp_path / "folder"):
        raise ValueError("no tensor")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_takes_the_place_of_what_stood_there(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (tmp_path / "model.part").mkdir()
    (tmp_path / "model.part" / "left by a killed writer").touch()
    for text in ("one", "two"):
        with atomic_folder(folder) as part:
            (part / "inner").mkdir()
            (part / "inner" / text).write_text(text)
    assert [path.name for path in folder.rglob("*")] == ["inner", "two"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_failure_leaves_the_folder_that_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with atomic_folder(folder) as part:
        (part / "old").touch()
    with pytest.raises(DiskFullError, match="no space left"), atomic_folder(folder) as part:
        (part / "new").touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(KeyboardInterrupt), atomic_folder(folder):
        raise KeyboardInterrupt
    assert list(tmp_path.rglob("*")) == [folder, folder / "old"]


@pytest.mark.skipif(os.name == "nt", reason="Windows syncs what is open for writing alone")
def test_read_only_files_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def as_an_ordinary_user(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) and not Path(path).stat().st_mode & 0o200:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return opened(path, flags, *rest, **named)

    (tmp_path / "weights").touch(mode=0o444)
    monkeypatch.setattr(os, "open", as_an_ordinary_user)
    sync_tree(tmp_path)


def test_all_is_synced_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []

    def fsync(_: int) -> None:
        synced.append((tmp_path / "model").exists())

    monkeypatch.setattr(os, "fsync", fsync)
    with atomic_folder(tmp_path / "model") as part:
        (part / "inner").mkdir()
        (part / "inner" / "weights").touch()
        (part / "config").touch()
    assert synced == [False] * 4 + [True]  # two files, two folders, then the folder that names the new one
