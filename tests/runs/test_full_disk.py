"""Writers on a disk that is really full: a small one in memory, which only the superuser can mount."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from compresskit.errors import DiskFullError
from compresskit.runs.atomic import atomic_folder, atomic_path, write_atomic
from compresskit.runs.jsonl import append_record, read_records

BYTES = 1 << 20
TOO_MUCH = 2 * BYTES

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs the superuser on Linux"
)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={BYTES}", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def write_text(folder: Path) -> None:
    write_atomic(folder / "file", bytes(TOO_MUCH))


def write_safetensors(folder: Path) -> None:
    save_file = pytest.importorskip("safetensors.numpy").save_file

    with atomic_path(folder / "x.safetensors") as path:
        save_file({"x": np.zeros(TOO_MUCH, np.uint8)}, path)


def write_torch(folder: Path) -> None:
    torch = pytest.importorskip("torch")

    with atomic_folder(folder / "model") as part:
        torch.save(torch.zeros(TOO_MUCH, dtype=torch.uint8), part / "x.pt")


def write_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    words = {f"word {i}": i for i in range(TOO_MUCH // 10)}
    with atomic_folder(folder / "model") as part:
        Tokenizer(WordLevel(words, unk_token="word 0")).save(str(part / "tokenizer.json"))


@pytest.mark.parametrize("write", [write_text, write_safetensors, write_torch, write_tokenizer])
def test_each_library_ends_in_one_error_and_gives_the_space_back(
    disk: Path, write: Callable[[Path], None]
) -> None:
    with pytest.raises(DiskFullError, match=rf"no space left .*bytes are free in {disk}.*Free some space"):
        write(disk)
    assert list(disk.iterdir()) == []
    write_atomic(disk / "file", bytes(BYTES // 2))


def test_records_before_it_stay(disk: Path) -> None:
    file = disk / "records.jsonl"
    append_record(file, {"n": 0})
    with pytest.raises(DiskFullError, match="no space left"):
        append_record(file, {"n": 1, "text": "x" * TOO_MUCH})
    append_record(file, {"n": 2})
    assert read_records(file) == ([{"n": 0}, {"n": 2}], None)
