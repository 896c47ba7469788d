from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from compresskit.data import lines
from compresskit.data.lines import text_lines
from compresskit.errors import DataError


def write(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "d.csv").write_bytes(data)
    return tmp_path / "d.csv"


def test_lines_keep_their_ends_and_lose_a_byte_order_mark(tmp_path: Path) -> None:
    file = write(tmp_path, b"\xef\xbb\xbfa\r\nb\rc\xe2\x80\xa8d\n")
    assert list(text_lines(file)) == ["a\r\n", "b\r", "c\u2028d\n"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("text\nwörd\n".encode("utf-16"), "is UTF-16, not UTF-8 text; save it as UTF-8"),
        ("text\nword\n".encode("utf-16-le"), "UTF-16 without a byte order mark, or no text"),
        ("text\n".encode("utf-32"), "is UTF-32"),
        (b"\x1f\x8b\x08\0", "compressed"),
        (b"PK\x03\x04", "a zip archive or a spreadsheet"),
        (
            b"text\nok\ncaf\xe9 x\n",
            r"line 3 holds the byte 0xe9, as Windows-1252 or Latin-1.*iconv -f WINDOWS",
        ),
        (b"text\nok\n" + b"x" * (1 << 21) + b"\n\xff\n", "line 4 holds the byte 0xff"),
        (b"text\n\xc3", "ends in the middle of a character"),
    ],
)
def test_another_encoding_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(text_lines(write(tmp_path, data)))


def test_a_line_without_an_end_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = write(tmp_path, b"text\n")
    with file.open("ab") as opened:
        for _ in range(40):
            opened.write(b"x" * (1 << 21))
    tracemalloc.start()
    with pytest.raises(DataError, match=r"line 2 of .* is longer than 16,777,216 characters"):
        list(text_lines(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * lines.MAX_LINE < file.stat().st_size
