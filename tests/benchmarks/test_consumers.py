"""When a tool's answers are those of an engine."""

from __future__ import annotations

import numpy as np

from benchmarks.tasks.consumers.alike import scores, spans, vectors

WANTED = [{"answer": "New York", "start": 3, "end": 11, "score": 0.5}, {"answer": "", "start": 0, "end": 0}]


def test_vectors_are_close_and_have_the_same_neighbours() -> None:
    wanted = np.eye(4)[:3] + 0.1 * np.arange(4)
    assert vectors((wanted + 1e-6).tolist(), list(wanted)).right
    assert not vectors((wanted + 1e-3).tolist(), list(wanted)).right
    assert not vectors(wanted[::-1].tolist(), list(wanted)).right


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
