"""Unlabelled texts of several data sets, none of them in a set that judges."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

# Split -> columns of texts, or of lists of words; how many texts of it at most.
SOURCES = {
    "agnews20k/train": (("sentence",), 20_000),
    "imdb10k/train": (("sentence",), 5_000),
    "sst2/train": (("sentence",), 10_000),
    "squad_small/train": (("context", "question"), 6_000),
    "qnli_split/train": (("sentence1", "sentence2"), 9_000),
    "wikiqa/validation": (("query", "passage"), 3_000),
    "mrpc/train": (("sentence1", "sentence2"), 7_000),
    "conll2003/train": (("tokens",), 10_000),
    "ud_ewt_pos/train": (("tokens",), 10_000),
    "clinc150/train": (("sentence",), 10_000),
    "trec6/train": (("sentence",), 5_000),
    "cola/train": (("sentence",), 8_000),
    "rte/train": (("sentence1", "sentence2"), 5_000),
    "commonsense_qa/train": (("question",), 9_000),
}
JUDGES = ("stsb", "sts12_16")
FEWEST_WORDS = 3


def write_texts(data: Path, file: Path, seed: int = 0) -> int:
    """Texts of `data`, a folder of these sets, as JSON lines of a shuffled order; returns how many."""
    judged = {_plain(text) for name in JUDGES for text in _judged(data / name)}
    rng = np.random.default_rng(seed)
    found: dict[str, str] = {}
    for split, (columns, most) in SOURCES.items():
        texts = [text for text in _texts(data / f"{split}.parquet", columns) if _plain(text) not in judged]
        for place in rng.permutation(len(texts))[:most]:
            if len(texts[place].split()) >= FEWEST_WORDS:
                found.setdefault(_plain(texts[place]), texts[place])
    shuffled = [list(found.values())[i] for i in rng.permutation(len(found))]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in shuffled))
    return len(shuffled)


def _texts(file: Path, columns: tuple[str, ...]) -> list[str]:
    table = pq.read_table(file, columns=list(columns))
    values = (value for column in columns for value in table[column].to_pylist())
    return [value if isinstance(value, str) else " ".join(value) for value in values if value]


def _judged(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.parquet")):
        yield from _texts(file, ("sentence1", "sentence2"))


def _plain(text: str) -> str:
    """Letters and digits alone: tokenization and case differ between sets."""
    return re.sub(r"[^a-z0-9]+", "", text.lower())
