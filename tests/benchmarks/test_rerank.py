"""What the benchmark of rerankers makes."""

from __future__ import annotations

from benchmarks.tasks.ranked import nearest


def test_passages_that_share_rare_words_come_first() -> None:
    sentences = ["the cat sat", "the dog sat", "the bird flew", "a cat and a dog"]
    assert nearest(["where is the cat ?"], sentences, 2) == [[0, 3]]
    assert nearest(["which bird"], sentences, 9) == [[2]]
