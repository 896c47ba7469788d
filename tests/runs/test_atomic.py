from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import RunError
from compresskit.runs import atomic_path, write_atomic


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
