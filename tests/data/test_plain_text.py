from __future__ import annotations

from pathlib import Path

import pytest

from compresskit.data.plain_text import load_texts
from compresskit.errors import DataError
from tests.tasks.make import write_csv


def test_every_line_of_all_files_is_a_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one two\n\n  three \n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "b.txt").write_text("four")
    assert load_texts(tmp_path).splits["train"].columns == {"text": ["one two", "three", "four"]}
    assert load_texts(tmp_path / "a.txt").splits["train"].num_rows == 2


def test_beside_tables_plain_text_is_a_readme(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("about these data")
    write_csv(tmp_path / "train.csv", [("w1 w2", 0)])
    assert load_texts(tmp_path).splits["train"].columns["text"] == ["w1 w2"]


def test_markdown_counts_where_there_is_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("a note")
    assert load_texts(tmp_path).splits["train"].num_rows == 1
    (tmp_path / "notes.md").write_text("\n\n")
    with pytest.raises(DataError, match="no line with a text"):
        load_texts(tmp_path)


def test_files_named_as_splits_are_splits(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("one\ntwo")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "a.txt").write_text("three")
    splits = load_texts(tmp_path).splits
    assert {name: table.columns["text"] for name, table in splits.items()} == {
        "train": ["one", "two"],
        "test": ["three"],
    }
    (tmp_path / "notes.txt").write_text("four")  # so that names tell nothing
    assert list(load_texts(tmp_path).splits) == ["train"]
    assert load_texts(tmp_path).splits["train"].num_rows == 4
