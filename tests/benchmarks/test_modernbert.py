from __future__ import annotations

from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.modernbert import student as training
from benchmarks.modernbert.parity import TOLERANCE, Parity, engine_difference
from benchmarks.modernbert.student import UNKNOWN, Lesson, drawn_student, train_student
from benchmarks.modernbert.texts import SOURCES, batches_of, unlabelled_texts
from compresskit.bundle.session import make_session
from compresskit.engine.export import export_onnx
from compresskit.inputs import TEXT
from tests.contracts.family import randomize
from tests.families.test_modernbert import TestModernBert as Contract

SPECIAL = SimpleNamespace(pad_token_id=0, cls_token_id=1, sep_token_id=2)


def make_teacher() -> Any:
    sizes = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=30, max_position_embeddings=20, num_labels=3, **sizes)
    torch.manual_seed(0)
    return BertForSequenceClassification(config).eval()


def make_student(monkeypatch: pytest.MonkeyPatch) -> Any:
    sizes = {**training.SIZES, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16}
    monkeypatch.setattr(training, "SIZES", sizes)
    monkeypatch.setattr(training, "BATCH", 4)
    return drawn_student(make_teacher(), SPECIAL)


def make_lesson() -> Lesson:
    rng = np.random.default_rng(0)
    rows = [
        {"input_ids": rng.integers(3, 30, size).tolist(), "attention_mask": [1] * size}
        for size in range(3, 13)
    ]
    return Lesson(rows, [0, 1, 2, 0, 1, *[UNKNOWN] * 5], TEXT)


def test_every_row_comes_once_a_pass_beside_rows_of_like_length() -> None:
    lengths = [length for length in range(1, 65) for _ in range(2)]
    batches = list(islice(batches_of(lengths, 4, 0), 64))
    assert sorted(row for batch in batches[:32] for row in batch) == list(range(128))
    assert all(
        max(lengths[row] for row in batch) - min(lengths[row] for row in batch) <= 2 for batch in batches
    )
    assert batches[:32] != batches[32:]


def test_texts_that_are_held_out_are_not_learnt_from(tmp_path: Path) -> None:
    for name, (split, column) in SOURCES.items():
        (tmp_path / name).mkdir()
        table = pyarrow.table({column: [f"A text of {name}.", "WHO  is it?", "Who is it ?"]})
        parquet.write_table(table, tmp_path / name / f"{split}.parquet")
    found = {text for (text,) in unlabelled_texts(tmp_path, [("who is it ?",)])}
    assert found == {f"A text of {name}." for name in SOURCES}


def test_the_student_has_the_teachers_words_and_learns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    student, teacher = make_student(monkeypatch), make_teacher()
    embeddings = teacher.bert.embeddings
    words = embeddings.word_embeddings.weight + embeddings.token_type_embeddings.weight[0]
    torch.testing.assert_close(student.model.embeddings.tok_embeddings.weight, words, rtol=0, atol=0)
    assert student.config.id2label == teacher.config.id2label
    lesson = make_lesson()
    before = training._loss(student, teacher, lesson, list(range(10))).item()
    assert train_student(student, teacher, lesson, 150, tmp_path / "state.pt", print, seconds=60.0)
    assert training._loss(student, teacher, lesson, list(range(10))).item() < 0.8 * before


def test_training_that_was_cut_off_goes_on_where_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole, lesson = make_student(monkeypatch), make_lesson()
    assert train_student(whole, make_teacher(), lesson, 5, tmp_path / "whole.pt", print, seconds=60.0)
    calls = 1
    parts = make_student(monkeypatch)
    while not train_student(parts, make_teacher(), lesson, 5, tmp_path / "parts.pt", print, seconds=0.0):
        parts, calls = make_student(monkeypatch), calls + 1
    assert calls == 5
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_parity_sees_a_graph_of_other_weights() -> None:
    model: Any = randomize(Contract().make_model())
    session = make_session(export_onnx(model).SerializeToString(), threads=1)
    assert engine_difference(session, model) < TOLERANCE
    with torch.no_grad():
        model.model.layers[1].mlp.Wi.weight[0].add_(0.1)
    assert engine_difference(session, model) > TOLERANCE
    assert not Parity(0.0, 2 * TOLERANCE, 1.0).holds
