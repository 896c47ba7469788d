"""Texts of two utterances."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.tasks.pairs import BETWEEN, SPLITS, write_pairs


def test_each_utterance_is_in_one_row_of_its_split_with_another_intent(tmp_path: Path) -> None:
    known = {f"{split} says {i}": (split, i % 3) for split in SPLITS for i in range(21)}
    for split in SPLITS:
        own = [(text, intent) for text, (of, intent) in known.items() if of == split]
        table = pa.table({"sentence": [text for text, _ in own], "label": [intent for _, intent in own]})
        pq.write_table(table, tmp_path / f"{split}.parquet")
    write_pairs(tmp_path, tmp_path / "pairs")
    seen: list[str] = []
    for split in SPLITS:
        for line in (tmp_path / "pairs" / f"{split}.jsonl").read_text().splitlines():
            row = json.loads(line)
            (pair,) = [row["text"].split(word) for word in BETWEEN if len(row["text"].split(word)) == 2][-1:]
            assert {known[text][0] for text in pair} == {split}
            assert row["labels"] == sorted(f"intent {known[text][1]}" for text in pair)
            assert len(set(row["labels"])) == 2
            seen += pair
    assert len(seen) == len(set(seen)) and len(seen) > len(known) / 2
    write_pairs(tmp_path, tmp_path / "again")
    assert (tmp_path / "again" / "test.jsonl").read_text() == (tmp_path / "pairs" / "test.jsonl").read_text()
