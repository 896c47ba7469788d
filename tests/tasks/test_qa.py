"""Extractive question answering."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compresskit.data.sources import Source
from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, DataError
from compresskit.tasks.examples import IGNORED, DataOptions
from compresskit.tasks.qa import QuestionAnswering
from compresskit.tasks.qa_spans import FAR
from compresskit.tasks.registry import kind_for
from compresskit.tasks.task import load_task
from tests.contracts.task import TaskContract
from tests.tasks.make import WORDS, tokenizer, write_json_lines

ANSWERED, NULL = QuestionAnswering((), "f1"), QuestionAnswering((), "f1", 0.0)
TABLE = Table.of(
    {
        "id": ["1", "2"],
        "question": [" where? ", "when?"],
        "context": ["In the north.", "In the north, in May."],
        "answers": [{"text": ["the north"], "answer_start": [3]}, {"text": ["May"], "answer_start": [17]}],
    }
)


def asked(count: int, *, unanswered: float = 0.0, seed: int = 0) -> list[dict[str, Any]]:
    """Two questions a context: for a word of it, answered by the word behind it, or for another word."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        if number % 2 == 0:
            words = rng.choice(WORDS, rng.integers(3, 12), replace=False).tolist()
        context, place = " ".join(words), int(rng.integers(len(words) - 1))
        start = len(" ".join(words[: place + 1])) + 1
        found = {"text": [words[place + 1]], "answer_start": [start]}
        if rng.random() < unanswered:
            found = {"text": [], "answer_start": []}
        rows.append({"context": context, "question": f"{words[place]} {number}", "answers": found})
    return rows


class TestQuestionAnswering(TaskContract):
    name = "qa"

    def write(self, folder: Path) -> Path:
        return write_json_lines(folder / "data.jsonl", asked(160))


class TestWithUnanswered(TaskContract):
    name = "qa"

    def write(self, folder: Path) -> Path:
        return write_json_lines(folder / "data.jsonl", asked(160, unanswered=0.4))


def read(train: Table = TABLE, test: Table | None = None, **options: Any) -> Any:
    splits = {"train": train} | ({} if test is None else {"test": test})
    return QuestionAnswering.read(Source("data", splits), DataOptions(**options))


def test_reading() -> None:
    found = read()
    assert found.kind == ANSWERED and found.train.texts == [("In the north.",), ("In the north, in May.",)]
    assert found.train.inputs == [("where?", "In the north."), ("when?", "In the north, in May.")]
    assert found.train.labels[:, 0, :2].tolist() == [[3, 12], [17, 20]]
    assert (found.train.labels[..., 2:] >= 0).sum() == 2  # "north" and "may"
    assert (found.columns, found.label_column) == (("question", "context"), "answers")
    assert found.kind.describe(found.train.labels) == "answers to 2 questions, none to 0"
    nested = {
        "context": "In the north.",
        "qas": [{"question": "where?", "answers": [{"text": "no", "answer_start": 7}]}],
    }
    table = Table.of({"version": ["1.1"], "data": [[{"title": "t", "paragraphs": [nested]}]]})
    assert kind_for(table, DataOptions()) is QuestionAnswering
    assert read(test=table).test.labels[:, 0, :2].tolist() == [[7, 9]]
    assert ANSWERED.read_test(table, "test", "f", DataOptions()).inputs == [("where?", "In the north.")]


def test_unanswered_questions_of_training_make_a_threshold() -> None:
    without = Table.of(
        {**TABLE.columns, "answers": [TABLE.columns["answers"][0], {"text": [], "answer_start": []}]}
    )
    found = read(without)
    assert found.kind == NULL and not ANSWERED.is_chosen and NULL.is_chosen
    assert found.train.labels[1].tolist() == [[IGNORED] * 3]
    assert found.kind.describe(found.train.labels) == "answers to 1 questions, none to 1"
    (note,) = read(test=without).notes
    assert "1 of 2 questions of the test split have no answer" in note and "gives each one" in note
    secret = Table.of({**TABLE.columns, "answers": [{"text": [], "answer_start": []}] * 2})
    assert read(test=secret).test is None
    with pytest.raises(DataError, match="no question of the train split has an answer in column 'answers'"):
        read(secret)


def test_answers_that_are_too_long_are_counted() -> None:
    context = "x " * 31
    answers = [{"text": [context[: 2 * count]], "answer_start": [0]} for count in (30, 31)]
    (note,) = read(Table.of({"question": ["a", "b"], "context": [context] * 2, "answers": answers})).notes
    assert note.startswith("1 of 2 questions of the train split have answers of more than 30 words")


def test_which_tables_are_of_it() -> None:
    assert kind_for(TABLE, DataOptions()) is QuestionAnswering
    renamed = Table.of(
        {"q": TABLE.columns["question"], "p": TABLE.columns["context"], "a": TABLE.columns["answers"]}
    )
    assert kind_for(renamed, DataOptions()) is not QuestionAnswering
    named = DataOptions(text_columns=("q", "p"), label_column="a")
    assert kind_for(renamed, named) is QuestionAnswering
    assert read(renamed, text_columns=("q", "p"), label_column="a").columns == ("q", "p")
    pairs = Table.of({"question": ["a"], "context": ["b"], "label": ["c"]})
    assert kind_for(pairs, DataOptions()) is not QuestionAnswering
    with pytest.raises(DataError, match=r"columns present: question \(text\), context \(text\), label"):
        read(pairs)


def predicted(rows: Sequence[Sequence[float]]) -> Any:
    """Margin, probability, probability of none, start, end, words."""
    return np.array(rows, dtype=np.float64)


def test_no_answer_is_given_above_the_threshold() -> None:
    said = predicted([[-1, 0.7, 0.3, 3, 5, 11], [2, 0.1, 0.9, 0, 2, 12], [FAR, 0, 1, 0, 0, IGNORED]])
    none = [IGNORED] * 3
    assert NULL.answers(said)[:, 0].tolist() == [[3, 5, 11], none, none]
    assert QuestionAnswering((), "f1", 2.5).answers(said)[:, 0].tolist() == [[3, 5, 11], [0, 2, 12], none]
    assert ANSWERED.answers(said)[:, 0].tolist() == [[3, 5, 11], [0, 2, 12], [0, 0, IGNORED]]
    contexts = [("q", "In May it is"), {"question": "q", "context": "It is May"}, ("q", "")]
    assert NULL.decode(said, [], contexts) == [
        {"answer": "Ma", "score": 0.7, "start": 3, "end": 5},
        {"answer": "", "score": 0.9, "start": 0, "end": 0},
        {"answer": "", "score": 1.0, "start": 0, "end": 0},
    ]
    with pytest.raises(DataError, match="not finite"):
        NULL.answers(np.full_like(said, np.nan))


def test_the_threshold_is_chosen_by_the_metric() -> None:
    said = predicted([[margin, 0.5, 0.5, 0, 1, 7] for margin in (-3, -1, 0.5, 2)])
    right, none = [[0, 1, 7]], [[IGNORED] * 3]
    labels = np.array([right, right, right, none])
    fitted = NULL.fitted(said, labels)
    assert fitted.null_threshold == pytest.approx(1.25)
    assert fitted.score(said, labels) == 1 > NULL.score(said, labels)
    assert fitted.to_json() == {"name": "qa", "null_threshold": fitted.null_threshold}
    assert NULL.fitted(said, np.array([none] * 4)).score(said, np.array([none] * 4)) == 1
    assert NULL.fitted(said, np.array([right] * 4)).score(said, np.array([right] * 4)) == 1
    assert NULL.prior(labels, labels) == 0.25 and ANSWERED.prior(labels, labels) == 0
    assert ANSWERED.fitted(said, labels) is ANSWERED


def test_start_and_end_are_compared_among_tokens_that_may_be_an_answer() -> None:
    said = torch.arange(16.0).reshape(2, 4, 2)
    targets = torch.tensor([[0, IGNORED, 1, 2], [3, IGNORED, 0, IGNORED]])
    logits, true = ANSWERED.compared(said, targets)
    assert true.tolist() == [2, 3, 0, 0]
    assert logits[:, [0, 2]].tolist() == [[0, 4], [1, 5], [8, 12], [9, 13]]
    assert (torch.softmax(logits, -1)[targets.repeat_interleave(2, 0) == IGNORED] == 0).all()


def test_a_context_stays_on_one_side(tmp_path: Path) -> None:
    rows = asked(200, unanswered=0.2)
    task = load_task(write_json_lines(tmp_path / "data.jsonl", rows), tokenizer=tokenizer(), max_length=12)
    sides = [{text for (text,) in split.texts} for split in (task.train, task.validation, task.test)]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    assert len(task.train) > len(task.train.labels) and task.search.raw == task.validation.raw
    assert any(note.startswith("training: ") and "windows of up to 12 tokens" in note for note in task.notes)
    assert task.kind.read_texts(task.test.texts, task.test.raw)[0] == task.test.raw[0]


def test_a_question_that_is_too_long_is_cut_and_counted(tmp_path: Path) -> None:
    rows = asked(60)
    rows[0]["question"] = " ".join(WORDS[:40])
    (tmp_path / "data.json").write_text(json.dumps(rows))
    task = load_task(tmp_path / "data.json", tokenizer=tokenizer(), max_length=12)
    assert sum("1 questions were cut to half of 12 tokens" in note for note in task.notes) == 1
    with pytest.raises(ConfigurationError, match="permitted: 5 to"):
        load_task(tmp_path / "data.json", tokenizer=tokenizer(), max_length=4, max_positions=16)
