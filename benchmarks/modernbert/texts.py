"""Unlabelled texts for distillation: questions and sentences of other data sets, none of them of the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet

from compresskit.data.containment import words

# Data set -> file and column: what is shaped like the task's own texts.
SOURCES = {
    "squad2_devhalf": ("train", "question"),
    "squad_small": ("train", "question"),
    "xquad_en": ("validation", "question"),
    "commonsense_qa": ("train", "question"),
    "cola": ("train", "sentence"),
    "stsb": ("train", "sentence1"),
}
LONGEST = 40  # tokens; the rest of a longer text is cut off
_POOL = 32  # batches that are sorted by length together


def unlabelled_texts(data: Path, held_out: Sequence[tuple[str, ...]]) -> list[tuple[str]]:
    """Distinct texts of `SOURCES` below `data`, without those that share all words with a held-out row."""
    forbidden = {words(row[0]) for row in held_out}
    found: dict[Any, str] = {}
    for name, (split, column) in SOURCES.items():
        table = parquet.read_table(data / name / f"{split}.parquet", columns=[column])
        for text in table[column].to_pylist():
            key = words(text)
            if key not in forbidden:
                found.setdefault(key, text)
    return [(text,) for text in found.values()]


def batches_of(lengths: Sequence[int], size: int, seed: int) -> Iterator[list[int]]:
    """Endless batches of row numbers, each row once per pass, rows of a batch of similar length."""
    rng = np.random.default_rng(seed)
    order: list[int] = []
    while True:
        while len(order) < _POOL * size:
            order.extend(rng.permutation(len(lengths)).tolist())
        pool, order = order[: _POOL * size], order[_POOL * size :]
        pool.sort(key=lambda row: lengths[row])
        for place in rng.permutation(_POOL):
            yield pool[place * size : (place + 1) * size]
