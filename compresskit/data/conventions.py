"""Names that data sets use for splits and columns, for a search and a bench alike.

Standard library only: a device that benches has nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

ROLES: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "validation_matched", "valid", "val", "dev"),
    "test": ("test",),
}
TEXT_PAIRS = (
    ("sentence1", "sentence2"),
    ("sentence_1", "sentence_2"),
    ("sentence_a", "sentence_b"),
    ("text1", "text2"),
    ("text_1", "text_2"),
    ("text_a", "text_b"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("question", "passage"),
    ("question", "context"),
    ("query", "passage"),
    ("query", "document"),
)
TEXTS = (
    "sentence",
    "text",
    "content",
    "review",
    "comment",
    "tweet",
    "utterance",
    "document",
    "question",
    "query",
)
IMAGES = ("image", "img", "picture", "photo")
LABELS = (
    "label",
    "labels",
    "target",
    "score",
    "similarity_score",
    "class",
    "category",
    "intent",
    "sentiment",
    "coarse_label",
    "stars",
    "rating",
)


def role_of(split: str) -> str | None:
    """Role of a split or file name such as `dev`, `test-00000-of-00002`; None for other names."""
    match = re.match(r"[a-z]+(?:_matched)?(?=$|[-_.])", split.lower())
    return next((role for role, names in ROLES.items() if match and match[0] in names), None)


def files_by_role(folder: Path, suffixes: Collection[str]) -> dict[str, dict[str, list[Path]]]:
    """Data files below `folder` by role and by their name in it, the parts of one file together."""
    found: dict[str, dict[str, list[Path]]] = {}
    for file in data_files(folder, suffixes):
        parts = file.relative_to(folder).parts
        role = role_of(file.stem) or (role_of(parts[0]) if len(parts) > 1 else None)
        if role:
            stem = re.sub(r"-\d+-of-\d+$", "", file.stem)
            name = "/".join([*parts[:-1], f"{stem}{file.suffix}"])
            found.setdefault(role, {}).setdefault(name, []).append(file)
    return found


def data_files(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Files below `folder` with one of these suffixes, in order; what is hidden is left out.

    A .txt file is data only where there is no other: beside others it is a readme or a licence.
    """
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix.lower() in suffixes)
    shown = [f for f in files if not any(part.startswith(".") for part in f.relative_to(folder).parts)]
    return [file for file in shown if file.suffix.lower() != ".txt"] or shown


def first_present(columns: Sequence[str], names: Iterable[str]) -> str | None:
    """The column that has the first of `names` that there is, whatever its case."""
    lower: dict[str, str] = {}
    for column in columns:
        lower.setdefault(column.strip().lower(), column)
    return next((lower[name] for name in names if name in lower), None)


def known_texts(columns: Sequence[str], label: str) -> tuple[str, ...]:
    """One or two text columns that are known by name; none where there is none."""
    for first, second in TEXT_PAIRS:
        pair = (first_present(columns, (first,)), first_present(columns, (second,)))
        if pair[0] and pair[1] and label not in pair:
            return (pair[0], pair[1])
    known = first_present(columns, [name for name in TEXTS if name != label.lower()])
    return (known,) if known else ()
