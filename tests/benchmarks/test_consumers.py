"""When a tool's answers are those of an engine."""

from __future__ import annotations

import numpy as np

from benchmarks.tasks.consumers.__main__ import CONSUMERS, HERE, IMAGE, NODE, PACKAGES
from benchmarks.tasks.consumers.alike import ALIKE, choices, labels, scores, spans, vectors
from benchmarks.tasks.consumers.engines import TASKS

WANTED = [{"answer": "New York", "start": 3, "end": 11, "score": 0.5}, {"answer": "", "start": 0, "end": 0}]


def test_vectors_are_close_and_have_the_same_neighbours() -> None:
    wanted = np.eye(4)[:3] + 0.1 * np.arange(4)
    assert vectors((wanted + 1e-6).tolist(), list(wanted)).right
    assert not vectors((wanted + 1e-3).tolist(), list(wanted)).right
    assert not vectors(wanted[::-1].tolist(), list(wanted)).right


def test_texts_that_are_equally_near_may_change_places_and_no_others() -> None:
    angles = np.array([0.0, 0.5, 0.5, *np.linspace(1.0, 2.5, 9)])  # twelve texts: two of them are the same
    wanted = np.column_stack([np.cos(angles), np.sin(angles)])
    said = wanted[[0, 2, 1, *range(3, 12)]] + 1e-8
    assert vectors(said.tolist(), list(wanted)).right
    wanted[2] = np.cos(0.50002), np.sin(0.50002)
    found = vectors(wanted[[0, 2, 1, *range(3, 12)]].tolist(), list(wanted))
    assert not found.right and found.figures == {"largest difference": "1.8e-05", "same top 10": "NO"}


def test_scores_are_close_and_in_the_same_order() -> None:
    wanted = [0.5, -1.0, 0.50005, 2.0]
    assert scores([each + 1e-7 for each in wanted], wanted).right
    assert not scores([each + 1e-3 for each in wanted], wanted).right
    found = scores([0.50005, -1.0, 0.5, 2.0], wanted)  # within the tolerance, and yet the other way round
    assert not found.right and found.figures["same order"] == "NO"


def test_answers_stand_at_the_same_place_or_read_alike() -> None:
    places = [{key: each[key] for key in ("answer", "start", "end")} for each in WANTED]
    assert spans(places, WANTED).right
    assert not spans([{**places[0], "start": 4}, places[1]], WANTED).right
    assert spans([{"answer": "new  york"}, {"answer": ""}], WANTED).right
    found = spans([{"answer": "york"}, {"answer": ""}], WANTED)
    assert not found.right and found.figures == {"same answers": "1 of 2"}


def test_choices_are_the_same_by_probabilities_that_are_close() -> None:
    wanted = [{"choice": 1, "scores": [0.4, 0.6]}, {"choice": 0, "scores": [0.50001, 0.49999]}]
    assert choices([[0.4, 0.6], [0.50001, 0.49999]], wanted).right
    assert not choices([[0.3, 0.7], [0.50001, 0.49999]], wanted).right
    found = choices([[0.4, 0.6], [0.49999, 0.50001]], wanted)  # within the tolerance
    assert not found.right and found.figures["same choices"] == "1 of 2"


def test_labels_that_a_text_is_given_are_a_tools_most_probable_ones() -> None:
    wanted = [[{"label": "a", "score": 0.9}, {"label": "b", "score": 0.3}], []]
    said = [{"a": 0.9, "b": 0.30001, "c": 0.2}, {"a": 0.1, "b": 0.1, "c": 0.1}]
    assert labels(said, wanted).right
    assert not labels([{**said[0], "b": 0.31}, said[1]], wanted).right
    found = labels([{**said[0], "c": 0.5}, said[1]], wanted)
    assert not found.right and found.figures["same labels"] == "1 of 2"


def test_every_tool_has_a_script_an_environment_and_answers_that_can_be_compared() -> None:
    assert set(CONSUMERS) == set(ALIKE) == {*TASKS, IMAGE}  # whose engine is given
    for consumer in [each for consumers in CONSUMERS.values() for each in consumers]:
        assert (HERE / consumer.script).is_file()
        assert consumer.environment == NODE or consumer.environment in PACKAGES
