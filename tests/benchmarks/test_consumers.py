"""When a tool's answers are those of an engine."""

from __future__ import annotations

import numpy as np

from benchmarks.tasks.consumers.alike import spans, vectors

WANTED = [{"answer": "New York", "start": 3, "end": 11, "score": 0.5}, {"answer": "", "start": 0, "end": 0}]


def test_vectors_are_close_and_have_the_same_neighbours() -> None:
    wanted = np.eye(4)[:3] + 0.1 * np.arange(4)
    assert vectors((wanted + 1e-6).tolist(), list(wanted)).right
    assert not vectors((wanted + 1e-3).tolist(), list(wanted)).right
    assert not vectors(wanted[::-1].tolist(), list(wanted)).right


def test_answers_stand_at_the_same_place_or_read_alike() -> None:
    places = [{key: each[key] for key in ("answer", "start", "end")} for each in WANTED]
    assert spans(places, WANTED).right
    assert not spans([{**places[0], "start": 4}, places[1]], WANTED).right
    assert spans([{"answer": "new  york"}, {"answer": ""}], WANTED).right
    found = spans([{"answer": "york"}, {"answer": ""}], WANTED)
    assert not found.right and found.figures == {"same answers": "1 of 2"}
