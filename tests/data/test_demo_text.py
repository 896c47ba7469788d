from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from transformers import AutoTokenizer, BertConfig

from compresskit.data.demo_text import build_demo_tokenizer, read_demo_texts, write_demo_data
from compresskit.errors import ConfigurationError
from compresskit.tasks.task import load_task


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def test_the_seed_decides_every_byte(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_demo_data(tmp_path / name, seed, 100)
    first, again, other = ((tmp_path / name / "train.csv").read_bytes() for name in "abc")
    assert first == again != other


def test_rows_are_different_and_labels_balanced(tmp_path: Path) -> None:
    write_demo_data(tmp_path, rows=1_000)
    train, validation = read(tmp_path / "train.csv"), read(tmp_path / "validation.csv")
    assert (len(train), len(validation)) == (1_000, 250)
    assert len({row["text"] for row in train + validation}) == 1_250
    assert abs(Counter(row["label"] for row in train)["good"] - 500) < 40
    assert read_demo_texts(tmp_path) == [row["text"] for row in train]


def test_no_single_word_gives_the_answer_away(tmp_path: Path) -> None:
    write_demo_data(tmp_path, rows=2_000)
    rows = read(tmp_path / "train.csv")
    for word in {word for row in rows for word in row["text"].split()}:
        labels = [row["label"] for row in rows if word in row["text"].split()]
        if len(labels) >= 100:
            assert 0.2 < labels.count("good") / len(labels) < 0.8, word


def test_the_tokenizer_loads_as_berts(tmp_path: Path) -> None:
    write_demo_data(tmp_path, rows=500)
    made = build_demo_tokenizer(read_demo_texts(tmp_path))
    made.save_pretrained(tmp_path / "model")
    BertConfig(vocab_size=len(made)).save_pretrained(tmp_path / "model")
    loaded = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert type(loaded).__name__.startswith("Bert")
    tokens = loaded("The battery zzz", "is good")
    assert loaded.convert_ids_to_tokens(tokens["input_ids"]) == (
        ["[CLS]", "the", "battery", "[UNK]", "[SEP]", "is", "good", "[SEP]"]
    )
    assert tokens["token_type_ids"] == [0, 0, 0, 0, 0, 1, 1, 1]
    assert loaded.pad_token_id == 0


def test_it_is_a_task(tmp_path: Path) -> None:
    write_demo_data(tmp_path, rows=400)
    tokenizer = build_demo_tokenizer(read_demo_texts(tmp_path))
    task = load_task(tmp_path, tokenizer=tokenizer, max_length=48)
    assert task.kind.labels == ("bad", "good")
    assert (len(task.train), len(task.validation), len(task.test)) == (280, 120, 100)
    assert task.notes == []
    assert all(tokenizer.unk_token_id not in row["input_ids"] for row in task.train.encoded)


def test_too_few_rows(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="19 rows are too few"):
        write_demo_data(tmp_path, rows=19)
