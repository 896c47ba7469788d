"""What of a model's answers changed: counts by task, groups, and examples in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from compresskit.tasks.base import TaskKind
from compresskit.tasks.changes import LONGEST, changes_of, compare
from compresskit.tasks.choice import MultipleChoice
from compresskit.tasks.classification import Classification
from compresskit.tasks.embedding import Embedding
from compresskit.tasks.examples import IGNORED
from compresskit.tasks.labels import LabelSets
from compresskit.tasks.qa import QuestionAnswering
from compresskit.tasks.qa_metric import filled, word_numbers
from compresskit.tasks.regression import Regression
from compresskit.tasks.rerank import Rerank
from compresskit.tasks.tokens import Tokens


def counts(kind: TaskKind, answers: Any, dense: Any, labels: Any) -> dict[str, int]:
    return {each.name: int(each.found.sum()) for each in compare(kind, answers, dense, labels)}


def spans(context: str, *rows: list[tuple[int, int]]) -> Any:
    """Answers to questions on one context."""
    return filled([[(a, b, *word_numbers(context[a:b])) for a, b in row] for row in rows], least=3)


def test_classes() -> None:
    kind = Classification(("no", "yes", "maybe"), "accuracy")
    labels, dense = np.array([0, 1, 2, 2, 0]), np.array([0, 0, 2, 0, 0])
    answers = np.array([1, 1, 2, 1, 0])
    assert counts(kind, answers, dense, labels) == {
        "right, now wrong": 1,
        "wrong, now right": 1,
        "another wrong answer": 1,
    }
    found, _ = changes_of(kind, [("text",)] * 5, {7: answers}, dense, labels)
    assert found["groups"] == [["no", 2, 0.6667], ["yes", 1, 0.0], ["maybe", 2, 0.6667]]
    assert found["points"]["7"] == {"counts": [1, 1, 1], "f1": [0.6667, 0.5, 0.6667]}


def test_a_class_without_labels_is_left_out() -> None:
    kind = Classification(("no", "yes"), "accuracy")
    answers, labels = np.array([0, 1]), np.array([0, 0])
    assert changes_of(kind, [("text",)] * 2, {0: answers}, labels, labels)[0]["groups"] == [["no", 2, 1.0]]


def test_several_labels_are_right_together() -> None:
    kind = LabelSets(("a", "b"), "micro_f1")
    labels, dense = np.array([[1, 1], [0, 1], [0, 0]]), np.array([[1, 1], [1, 1], [0, 0]])
    answers = np.array([[1, 0], [0, 1], [0, 0]])
    assert list(counts(kind, answers, dense, labels).values()) == [1, 1, 0]
    assert kind.groups(answers, labels) == {"a": (1.0, 1), "b": (2 / 3, 2)}
    assert kind.worded(2, answers, [("x",), ("y",), ("z", "w")]) == ("z / w", ["no label"])


def test_numbers_are_nearer_or_farther() -> None:
    kind = Regression((), "pearson")
    labels = np.array([0.0, 1.0, 2.0, 5.0])
    dense, answers = np.array([0.0, 2.0, 2.0, 5.0]), np.array([0.6, 1.0, 2.1, 5.0])
    assert list(counts(kind, answers, dense, labels).values()) == [1, 1, 0]
    assert kind.worded(0, answers, [("x",)]) == ("x", ["0.6"])


def test_entities_lost_and_gained() -> None:
    kind = Tokens(("O", "B-LOC", "I-LOC", "B-PER", "I-PER"), "entity_f1")
    inputs = [("Ann", "in", "New", "York"), ("no", "one")]
    labels = np.array([[3, 0, 1, 2], [0, 0, IGNORED, IGNORED]])
    answers = np.array([[0, 0, 1, 2], [0, 3, IGNORED, IGNORED]])
    assert list(counts(kind, answers, labels, labels).values()) == [2, 0, 0]
    assert kind.groups(answers, labels) == {"LOC": (1.0, 1), "PER": (0.0, 1)}
    text, lines = kind.worded(0, labels, inputs)
    assert (text, lines) == ("Ann in New York", ["Ann (PER)", "New York (LOC)"])
    assert kind.worded(1, labels, inputs)[1] == ["no entity"]


def test_answers_flip_and_their_articles_do_not_count() -> None:
    context = "The cat saw a dog"
    kind = QuestionAnswering((), "f1", 0.0)
    labels = spans(context, [(0, 7), (4, 7)], [], [(14, 17)])
    dense = spans(context, [(0, 7)], [(4, 7)], [(4, 7)])
    answers = spans(context, [(4, 7)], [], [(8, 11)])
    assert list(counts(kind, answers, dense, labels).values()) == [0, 1, 1]
    assert kind.groups(answers, labels) == {"has an answer": (0.5, 2), "has none": (1.0, 1)}
    assert kind.worded(0, labels, [("who?", context)]) == ("who?", ["The cat", "cat"])
    assert kind.worded(1, labels, [("", "")] * 2)[1] == ["no answer"]
    assert QuestionAnswering((), "f1").groups(answers, labels) == {}


def test_choices_are_told_by_their_text() -> None:
    kind = MultipleChoice((), "accuracy", 2)
    labels, dense, answers = np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([1, 1, 1])
    assert list(counts(kind, answers, dense, labels).values()) == [1, 1, 0]
    _, found = changes_of(kind, [("q?", ("one", "two"))] * 3, {0: answers}, dense, labels)
    assert found["0"][0] == {
        "change": "right, now wrong",
        "input": "q?",
        "right": ["one"],
        "dense": ["one"],
        "point": ["two"],
    }


def ranked(*scores: float) -> Any:
    """Answers to three queries of two passages each; the numbers of queries are in no order."""
    queries = np.repeat([30.0, 10.0, 20.0], 2)
    return Rerank((), "ndcg@10").answers(np.column_stack([queries, scores]))


def test_first_passages_are_compared_query_by_query() -> None:
    labels = ranked(0, 0, 0, 0, 0, 0)
    labels[:, 1:] = np.array([[1, 0, 0, 0, 0, 1]]).T * [1, 1, 1]  # that of query 10 has none relevant
    dense, answers = ranked(2, 1, 2, 1, 2, 1), ranked(1, 2, 1, 2, 1, 2)
    assert counts(Rerank((), "ndcg@10"), answers, dense, labels) == {
        "a less relevant passage first": 1,
        "a more relevant passage first": 1,
        "another passage first, as relevant": 1,
    }
    taught = Rerank((), "dense_ndcg@10", taught=True)
    assert counts(taught, answers, dense, dense) == {"another passage first": 3}
    inputs = [(query, f"{query}{place}") for query in "cab" for place in (1, 2)]
    assert taught.worded(0, dense, inputs) == ("a", ["a1"])  # in order of the numbers
    assert taught.worded(2, answers, inputs) == ("c", ["c2"])


def test_a_query_of_one_passage_has_not_changed() -> None:
    kind = Rerank((), "ndcg@10", taught=True)
    answers = kind.answers(np.array([[1.0, 0.3]]))
    assert counts(kind, answers, answers, answers) == {"another passage first": 0}


def test_texts_are_counted_by_the_neighbours_they_keep() -> None:
    kind = Embedding((), "cosine")
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(60, 8))
    near, far = dense + 0.05 * rng.normal(size=dense.shape), rng.normal(size=(60, 8))
    few = counts(kind, near, dense, dense)
    assert list(few) == ["0 to 4 of 10 kept", "5 to 7 of 10 kept", "8 or 9 of 10 kept"]
    assert sum(few.values()) < 60 and few["0 to 4 of 10 kept"] == 0
    assert counts(kind, far, dense, dense)["0 to 4 of 10 kept"] > 50
    line = np.array([[np.cos(each), np.sin(each)] for each in np.linspace(0, 1, 6)])
    assert kind.worded(0, line, [(str(each),) for each in range(6)]) == ("0", ["1", "2", "3", "4", "5"])


def test_examples_are_short_and_fit_any_file() -> None:
    kind = Classification(("no", "yes"), "accuracy")
    inputs = [("long\n\ttext " * 100,), ("half \ud800 a pair",)]
    labels, answers = np.array([0, 0]), np.array([1, 1])
    told = {each["input"] for each in changes_of(kind, inputs, {0: answers}, labels, labels)[1]["0"]}
    assert max(map(len, told)) <= LONGEST + 2
    assert any(each.startswith("long text long") for each in told) and "half ? a pair" in told
