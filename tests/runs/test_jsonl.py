from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import RunError
from compresskit.runs.jsonl import append_record, read_records


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "records.jsonl"
    append_record(path, {"n": 0})
    append_record(path, {"n": 1, "text": "ä\n"})
    return path


def test_round_trip(file: Path) -> None:
    assert read_records(file) == ([{"n": 0}, {"n": 1, "text": "ä\n"}], None)
    assert len(file.read_bytes().splitlines()) == 2


def test_an_absent_file_holds_nothing(tmp_path: Path) -> None:
    assert read_records(tmp_path / "absent") == ([], None)


def test_every_truncation_keeps_the_records_before_it(file: Path) -> None:
    whole = file.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first + 1, len(whole) - 1):
        file.write_bytes(whole[:end])
        records, warning = read_records(file)
        assert records == [{"n": 0}]
        assert warning is not None
        assert "line 2, was truncated" in warning
        append_record(file, {"n": 2})
        assert read_records(file) == ([{"n": 0}, {"n": 2}], None)


def test_a_record_that_lost_its_line_end_only_is_kept(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])
    assert len(read_records(file)[0]) == 2
    append_record(file, {"n": 2})
    records, warning = read_records(file)
    assert [record["n"] for record in records] == [0, 1, 2]
    assert warning is None


@pytest.mark.parametrize("damage", [b"{", b"[1]", b"\xff\xfe", b"", b"12"])
def test_a_damaged_line_is_named(file: Path, damage: bytes) -> None:
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([lines[0], damage, lines[1], b""]))
    with pytest.raises(RunError, match=r"line 2, is damaged.*--force"):
        read_records(file)


def test_values_that_are_no_json_write_nothing(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        append_record(file, {"n": float("nan")})
    assert file.read_bytes() == before


def test_a_full_disk_leaves_no_half_record(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_bytes()
    write = os.write

    def half(handle: int, data: bytes) -> int:
        write(handle, data[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(RunError, match="no space left"):
            append_record(file, {"n": 2})
    assert file.read_bytes() == before


def test_a_list_of_json_stands_for_a_tuple_of_any_length(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Line:
        costs: tuple[float, ...]
        ends: tuple[float, float]

    def read(value: dict[str, Any]) -> dict[str, Any]:
        path = tmp_path / "lines.jsonl"
        path.write_text(2 * (json.dumps(value) + "\n"))
        return dict(read_records(path, Line)[0][0])

    known = {"costs": [0.5, 3, 1.0], "ends": [1.0, 2.0]}
    assert read(known) == known
    for wrong in ({"costs": ["x"]}, {"costs": 1.0}, {"ends": [1.0]}):
        with pytest.raises(RunError, match="is damaged"):
            read({**known, **wrong})
