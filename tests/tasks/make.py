"""Small data for tests of tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compresskit.data.demo_text import build_demo_tokenizer

WORDS = [f"w{i}" for i in range(200)]


def tokenizer() -> Any:
    """Five special tokens (padding 0, start 2, end 3), then w0 to w199 in the order of their names."""
    return build_demo_tokenizer(WORDS)


def write_csv(path: Path, rows: Sequence[Sequence[object]], header: str = "text,label") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return path


def write_json_lines(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def sentence(rng: np.random.Generator, length: int = 8) -> str:
    return " ".join(rng.choice(WORDS, size=length))


def labelled(count: int, seed: int = 0, labels: Sequence[object] = (0, 1)) -> list[tuple[str, object]]:
    """Different sentences, the labels in turn."""
    rng = np.random.default_rng(seed)
    return [(sentence(rng), labels[i % len(labels)]) for i in range(count)]


def tagged_rows(count: int, seed: int = 0) -> list[tuple[list[str], list[str]]]:
    """Sentences with tags; the number of a word tells whether it is an entity."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        words: list[str] = rng.choice(WORDS, size=rng.integers(3, 9)).tolist()
        tags = ["B-PER" if word < "w13" else "B-LOC" if word < "w16" else "O" for word in words]
        rows.append((words, tags))
    return rows


def tagged_lines(count: int, seed: int = 0) -> list[dict[str, object]]:
    return [{"tokens": words, "ner_tags": tags} for words, tags in tagged_rows(count, seed)]
