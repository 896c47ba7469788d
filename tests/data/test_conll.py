from __future__ import annotations

from pathlib import Path

import pytest

from compresskit.data.files import read_table
from compresskit.errors import DataError

FOUR = """-DOCSTART- -X- -X- O

EU NNP I-NP I-ORG
# NN I-NP O

\t
Peter NNP I-NP I-PER\r
Blackburn NNP I-NP I-PER"""


def table(path: Path, text: str, name: str = "a.conll") -> dict[str, object]:
    (path / name).write_bytes(text.encode())
    return dict(read_table([path / name]).columns)


def test_four_columns(tmp_path: Path) -> None:
    assert table(tmp_path, FOUR) == {
        "tokens": [["EU", "#"], ["Peter", "Blackburn"]],
        "pos_tags": [["NNP", "NN"], ["NNP", "NNP"]],
        "chunk_tags": [["I-NP", "I-NP"], ["I-NP", "I-NP"]],
        "ner_tags": [["I-ORG", "O"], ["I-PER", "I-PER"]],
    }


def test_tabs_comments_and_other_numbers_of_columns(tmp_path: Path) -> None:
    text = "# id 1 domain=en\nNew\u00a0York\tB-LOC\n\n\n# id 2\nof\tO\n"
    expected = {"tokens": [["New\u00a0York"], ["of"]], "ner_tags": [["B-LOC"], ["O"]]}
    assert table(tmp_path, text, "a.txt") == expected
    assert set(table(tmp_path, "a _ _ _ O\n")) == {"tokens", "column_2", "column_3", "column_4", "ner_tags"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a O\n\nb c O\n", "line 3 has 3 columns, the first line 2"),
        ("only\nwords\n", "line 1 has 1 columns; a line holds a word and its tag"),
        ("a O\n O\n", "line 2 has 1 columns"),
    ],
)
def test_lines_of_another_form_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        table(tmp_path, text)
