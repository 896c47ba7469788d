"""Rerankers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from compresskit.data.sources import Source
from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, DataError
from compresskit.tasks.examples import DataOptions
from compresskit.tasks.intervals import row_groups
from compresskit.tasks.registry import kind_for
from compresskit.tasks.rerank import Rerank
from compresskit.tasks.task import Task, load_task
from compresskit.training.losses import label_loss, score_loss
from tests.contracts.task import MAX_LENGTH, TaskContract
from tests.tasks.make import sentence, tokenizer, write_json_lines

HEAD: dict[str, Any] = {"label2id": {"LABEL_0": 0}, "head_task": "text-classification"}
KIND = Rerank((), "ndcg@10")


def ranked(queries: int, passages: int = 4, seed: int = 0, *, labelled: bool = True) -> list[dict[str, Any]]:
    """Queries of two words; of each query's passages one holds them, and is the relevant one."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(queries):
        query = f"w{number % 200} w{(7 * number + number // 200 + 1) % 200} w{number % 199}"
        for place in range(passages):
            found = place == number % passages
            row = {"query": query, "passage": f"{query} {sentence(rng, 3)}" if found else sentence(rng, 5)}
            rows.append(row | ({"label": int(found)} if labelled else {}))
    return rows


class RankedContract(TaskContract):
    name = "rerank"

    def test_a_sample_has_the_metric_of_its_rows(self, task: Task, said: Any) -> None:
        """Of whole queries: one that is drawn twice is two."""
        labels, answers = task.validation.labels, task.kind.answers(said)
        queries, member = np.unique(labels[:, 0], return_inverse=True)
        single = [
            task.kind.score_answers(answers[member == i], labels[member == i]) for i in range(len(queries))
        ]
        rng = np.random.default_rng(0)
        drawn = np.array(
            [
                np.bincount(rng.integers(0, len(queries), len(queries)), minlength=len(queries))
                for _ in range(5)
            ]
        )
        found = task.kind.weighted(answers, labels, drawn[:, member].astype(np.float64))
        np.testing.assert_allclose(found, drawn @ single / drawn.sum(1), atol=1e-9)

    def test_queries_stay_whole(self, task: Task) -> None:
        parts = (task.train, task.validation, task.test)
        held = [{text for (text,) in part.texts} for part in parts]
        assert not held[0] & held[1] and not held[0] & held[2] and not held[1] & held[2]
        for part in (*parts, task.search):
            assert set(Counter(part.texts).values()) == {4}
            groups = row_groups(part.texts, task.kind.unit)
            assert len({(text, int(group)) for text, group in zip(part.texts, groups, strict=True)}) == len(
                set(part.texts)
            )


class TestRerank(RankedContract):
    def write(self, folder: Path) -> Path:
        return write_json_lines(folder / "data.jsonl", ranked(60))


class TestUnlabelled(RankedContract):
    options: ClassVar[dict[str, Any]] = HEAD

    def write(self, folder: Path) -> Path:
        return write_json_lines(folder / "data.jsonl", ranked(60, labelled=False))


def read(train: Table, test: Table | None = None, **options: Any) -> Any:
    splits = {"train": train} | ({} if test is None else {"test": test})
    return Rerank.read(Source("data", splits), DataOptions(**options))


def pairs(labels: list[Any] | None = None, passages: int = 2) -> Table:
    count = 4 if labels is None else len(labels)
    columns: dict[str, list[Any]] = {
        "query": [f"q{i // passages}" for i in range(count)],
        "passage": [f"p{i}" for i in range(count)],
    }
    return Table.of(columns | ({} if labels is None else {"label": labels}))


def test_reading() -> None:
    found = read(pairs([0, 2, 1, 0]), pairs([1, 0]))
    assert found.kind == KIND and not found.kind.is_taught
    assert found.train.texts == [("q0",), ("q0",), ("q1",), ("q1",)]
    assert found.train.inputs[0] == ("q0", "p0")
    assert found.train.labels[:, 2:].tolist() == [[0, 0], [1, 1], [0.5, 1], [0, 0]]
    assert len(set(found.train.labels[:, 0])) == 2
    assert (found.columns, found.label_column) == (("query", "passage"), "label")
    assert found.fingerprint != read(pairs([0, 2, 1, 0])).fingerprint


def test_without_labels_the_dense_model_is_the_reference() -> None:
    found = read(pairs(), pairs([1, 0]), **HEAD)
    assert found.kind == Rerank((), "dense_ndcg@10", taught=True)
    assert found.test is not None and not found.test.labels[:, 1:].any()
    assert found.notes == ("no labels: dense_ndcg@10 compares rankings with those of the dense model",)
    assert found.kind.to_json() == {"name": "rerank", "taught": True}
    assert read(pairs(), metric="map", **HEAD).kind.metric_name == "dense_map"
    assert read(pairs(), metric="dense_map", **HEAD).kind.metric_name == "dense_map"
    with pytest.raises(ConfigurationError, match="no labels .query, passage., and the model has no trained"):
        read(pairs())
    with pytest.raises(ConfigurationError, match="dense_map"):
        read(pairs([1, 0]), metric="dense_map")


def test_a_split_without_labels_does_not_test() -> None:
    assert read(pairs([0, 1]), pairs([-1, -1])).test is None
    assert read(pairs([0, 1]), pairs()).test is None


def test_which_tables_are_of_it() -> None:
    assert kind_for(pairs([0, 1, 0, 1]), DataOptions()) is Rerank
    assert kind_for(pairs([0, 1, 0, 1]), DataOptions(**HEAD)) is Rerank
    assert kind_for(pairs(), DataOptions()) is Rerank
    assert kind_for(pairs([0, 1], passages=1), DataOptions()) is not Rerank
    classes: dict[str, Any] = {"label2id": {"no": 0, "yes": 1}, "head_task": "text-classification"}
    assert kind_for(pairs([0, 1, 0, 1]), DataOptions(**classes)) is not Rerank
    lists = Table.of({"query": ["q"], "passages": [["a", "b"]], "labels": [[0, 1]]})
    assert kind_for(lists, DataOptions()) is Rerank
    triplets = Table.of({"query": ["q"], "positive": ["a"], "negative": ["b"]})
    assert kind_for(triplets, DataOptions()) is Rerank


def test_questions_with_answers_are_not_of_it() -> None:
    columns: dict[str, list[Any]] = {"question": ["q", "r"], "context": ["a", "b"], "answers": [["a"], ["b"]]}
    assert not Rerank.fits(Table.of(columns), DataOptions())
    columns["answers"] = [{"text": ["a"], "answer_start": [0]}] * 2
    named = DataOptions(text_columns=("question", "context"), label_column="answers")
    assert not Rerank.fits(Table.of(columns), DataOptions()) and not Rerank.fits(Table.of(columns), named)


def test_bad_input() -> None:
    with pytest.raises(ConfigurationError, match="head has 2 outputs .no, yes.; a reranker's has one"):
        read(pairs([0, 1]), label2id={"no": 0, "yes": 1}, head_task="text-classification")
    with pytest.raises(DataError, match="no passage of the train split is relevant"):
        read(pairs([0, 0]))
    with pytest.raises(DataError, match="no labels of relevance"):
        KIND.read_test(pairs(), "test", "f", DataOptions())
    with pytest.raises(DataError, match=r"inputs\[1\] is 'b'; permitted: a .query, passage. pair"):
        KIND.encode_served([("a", "b"), "b"], tokenizer().backend_tokenizer, segments=True)


def test_queries_that_are_not_scored_are_counted() -> None:
    labels = read(pairs([0, 1, 0, 0, 1])).train.labels  # no relevant passage; a single one
    assert KIND.absent("test", labels) == (
        "2 of 3 test queries have no relevant passage, or no other: they are not scored"
    )
    assert KIND.absent("training", labels) is None
    with pytest.raises(DataError, match="no query of the test split can be scored"):
        KIND.absent("test", labels[2:])
    taught = Rerank((), "dense_map", taught=True)
    assert taught.absent("test", labels) == "1 of 3 test queries have one passage alone: they are not scored"


def test_an_engine_without_labels_is_benched_by_them(tmp_path: Path) -> None:
    taught = Rerank((), "dense_mrr@10", taught=True)
    found = taught.read_test(pairs([0, 1, 1, 0]), "test", "f", DataOptions())
    assert found.judge == Rerank((), "mrr@10")
    assert found.labels[:, 1].tolist() == [0, 1, 1, 0]


def test_long_lists_are_not_torn_apart(tmp_path: Path) -> None:
    """A split must not drop queries with more passages than a group of other rows may have."""
    path = write_json_lines(tmp_path / "data.jsonl", ranked(30, passages=40))
    task = load_task(path, tokenizer=tokenizer(), max_length=MAX_LENGTH)
    assert sum(map(len, (task.train, task.validation, task.test))) == 30 * 40
    assert not [note for note in task.notes if "dropped" in note]


def test_labels_are_learnt_as_probabilities() -> None:
    """Binary cross-entropy of one logit; grades are shares of the highest."""
    logits, targets = torch.tensor([[2.0], [-1.0], [0.5]]), torch.tensor([1.0, 0.0, 0.5])
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], targets)
    torch.testing.assert_close(label_loss(*KIND.compared(logits, targets)), wanted)


def test_a_teacher_is_followed_by_its_logits() -> None:
    student, teacher = torch.tensor([[1.0], [2.0]]), torch.tensor([[-4.0], [4.0]])
    found, wanted = (KIND.compared(logits, torch.zeros(2))[0] for logits in (student, teacher))
    assert float(score_loss(found, wanted)) == pytest.approx((25 + 4) / 2 / 16)
    alike = KIND.compared(torch.tensor([[1.0], [1.1]]), torch.zeros(2))[0]
    assert float(score_loss(found, alike)) == pytest.approx((0 + 0.81) / 2)


def test_scores_are_plain_numbers() -> None:
    assert KIND.decode(np.array([[7, 1.5], [7, -2.0]]), [], []) == [1.5, -2.0]
