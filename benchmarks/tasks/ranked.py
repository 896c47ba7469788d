"""Queries with passages of qnli and wikiqa: some with labels, more without any, none of those that judge."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from compresskit.data.containment import words

PARTS, HELD = 5, 4  # every fifth query of wikiqa's validation split trains nothing and tests the dense model
QUESTIONS, PASSAGES = 2_500, 6  # of qnli, without labels


def write_labelled(data: Path, folder: Path, share: float = 1.0, seed: int = 0) -> None:
    """All pairs of qnli, and four fifths of wikiqa's validation queries; the last fifth tests."""
    rows = [
        {"query": row["sentence1"], "passage": row["sentence2"], "label": 1 - row["label"]}
        for row in _sample(_qnli(data), share, seed)
    ]
    parts = _parts(data)
    _write(folder / "train.jsonl", [*rows, *parts[0]])
    _write(folder / "test.jsonl", parts[1])


def write_unlabelled(data: Path, folder: Path, share: float = 1.0, seed: int = 0) -> None:
    """The same queries of wikiqa, and questions of qnli with the sentences of it that share most words.

    A reranker is given what a search has found: so the lists are of passages that are like the query.
    """
    pairs = _qnli(data)
    sentences = list(dict.fromkeys(row["sentence2"] for row in pairs))
    questions = [row["sentence1"] for row in _sample(pairs, share * QUESTIONS / len(pairs), seed)]
    found = [
        {"query": question, "passage": sentences[place]}
        for question, places in zip(questions, nearest(questions, sentences, PASSAGES), strict=True)
        for place in places
    ]
    asked = [{"query": row["query"], "passage": row["passage"]} for row in _parts(data)[0]]
    _write(folder / "train.jsonl", [*found, *asked])


def nearest(questions: Sequence[str], sentences: Sequence[str], count: int) -> list[list[int]]:
    """Of each question the `count` sentences whose words in common are the rarest in all, the best first."""
    held: dict[str, list[int]] = {}
    for place, sentence in enumerate(sentences):
        for word in set(words(sentence)):
            held.setdefault(word, []).append(place)
    found = []
    for question in questions:
        weights: dict[int, float] = {}
        for word in set(words(question)):
            for place in held.get(word, ()):
                weights[place] = weights.get(place, 0.0) + math.log(len(sentences) / len(held[word]))
        found.append(sorted(weights, key=weights.__getitem__, reverse=True)[:count])
    return found


def _qnli(data: Path) -> list[dict[str, Any]]:
    return [
        row for split in ("train", "validation") for row in _rows(data / "qnli_split" / f"{split}.parquet")
    ]


def _parts(data: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of wikiqa's validation queries: four fifths of them, and the last."""
    rows = _rows(data / "wikiqa" / "validation.parquet")
    number = {query: i for i, query in enumerate(dict.fromkeys(row["query"] for row in rows))}
    sides: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for row in rows:
        sides[number[row["query"]] % PARTS == HELD].append(row)
    return sides


def _sample(rows: list[dict[str, Any]], share: float, seed: int) -> list[dict[str, Any]]:
    count = min(max(round(share * len(rows)), 1), len(rows))
    return [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))[:count]]


def _rows(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows


def _write(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
