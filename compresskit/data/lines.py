"""Lines of a text file, each of limited length, and the error for a file that is not UTF-8.

Standard library only: a device that benches has nothing else.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from compresskit.errors import DataError

MAX_LINE = 16 * 2**20  # characters; far above any text, far below what would fill the memory
_CHUNK = 1 << 20
_SIGNATURES = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"PAR1", "parquet"),
)


def text_lines(file: Path) -> Iterator[str]:
    """Lines of a UTF-8 file with their line ends; a byte order mark is left out.

    Raises DataError for another encoding, naming it if it is known, and for a line of more than
    `MAX_LINE` characters, of which no more than that is read.
    """
    check_encoding(file)
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            number = 1
            while line := opened.readline(MAX_LINE + 1):
                if len(line) > MAX_LINE:
                    raise DataError(
                        f"line {number:,} of {str(file)!r} is longer than {MAX_LINE:,} characters; each row "
                        "needs a line of its own. Check the line ends, or shorten the text."
                    )
                yield line
                number += 1
    except UnicodeDecodeError:
        raise DataError(_encoding_error(file)) from None


def whole_text(file: Path) -> str:
    """A UTF-8 file without its byte order mark. Raises DataError for another encoding."""
    check_encoding(file)
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(_encoding_error(file)) from None


def check_encoding(file: Path) -> None:
    """Raise DataError when the first bytes of `file` show that it is no UTF-8 text."""
    with file.open("rb") as opened:
        head = opened.read(4096)
    found = next((name for signature, name in _SIGNATURES if head.startswith(signature)), None)
    if found is None and b"\0" in head:
        found = "UTF-16 without a byte order mark, or no text"
    if found is not None:
        raise DataError(f"file {str(file)!r} is {found}, not UTF-8 text; save it as UTF-8.")


def _encoding_error(file: Path) -> str:
    """Where the first byte that is no UTF-8 stands; read again, since decoders count from their buffer."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    number = 1
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            try:
                number += decoder.decode(chunk).count("\n")
            except UnicodeDecodeError as error:
                number += error.object[: error.start].count(b"\n")
                byte = error.object[error.start]
                return (
                    f"file {str(file)!r} is not UTF-8: line {number:,} holds the byte 0x{byte:02x}, as "
                    "Windows-1252 or Latin-1 would write it. Save it as UTF-8, for example with "
                    f"`iconv -f WINDOWS-1252 -t UTF-8 {file.name}`."
                )
    return f"file {str(file)!r} is not UTF-8: it ends in the middle of a character. Save it as UTF-8."
