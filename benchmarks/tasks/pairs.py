"""Two utterances joined into one text, whose intents are both to be found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

SPLITS = ("train", "validation", "test")
BETWEEN = (". ", ", ", " and ", " and then ")


def write_pairs(data: Path, folder: Path, seed: int = 0) -> None:
    """Of each split of `data`, with `sentence` and `label`: rows of two utterances, each in one row at most.

    An utterance that would stand beside one of its own intent is left out with it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for split in SPLITS:
        rows = pq.read_table(data / f"{split}.parquet").to_pylist()
        order = rng.permutation(len(rows) // 2 * 2).reshape(-1, 2)
        between = rng.choice(BETWEEN, len(order))
        lines = [
            {
                "text": f"{first['sentence']}{word}{second['sentence']}",
                "labels": sorted(f"intent {each['label']}" for each in (first, second)),
            }
            for (first, second), word in zip(
                ([rows[i] for i in pair] for pair in order), between, strict=True
            )
            if first["label"] != second["label"]
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{split}.jsonl").write_text(text, encoding="utf-8")
