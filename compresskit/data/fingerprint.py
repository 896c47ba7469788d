"""What tells one data set from another: a hash of the rows as they were read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from compresskit.data.label_values import label_text
from compresskit.data.rows import Rows


def rows_fingerprint(splits: Iterable[Rows], class_names: Sequence[str] = ()) -> str:
    """SHA-256 (hexadecimal) of the splits' names, texts and labels, in order.

    Files of another format with the same rows have the same fingerprint. `class_names`: of integer labels.
    """
    return values_fingerprint(
        (
            rows.split,
            [
                (*texts, label_text(label, class_names))
                for texts, label in zip(rows.texts, rows.labels, strict=True)
            ],
        )
        for rows in splits
    )


def values_fingerprint(splits: Iterable[tuple[str, Sequence[Sequence[str]]]]) -> str:
    """SHA-256 (hexadecimal) of the splits' names and of all that their rows hold, in order."""
    digest = hashlib.sha256()
    for split, rows in splits:
        digest.update(f"{split} {len(rows)}\n".encode())
        for row in rows:
            for value in row:
                data = value.encode("utf-8", "surrogatepass")
                digest.update(b"%d:%b" % (len(data), data))
    return digest.hexdigest()
