from __future__ import annotations

import numpy as np

from compresskit.outputs import joined, scored


def test_a_task_is_scored_by_the_outputs_that_are_known() -> None:
    assert scored(["last_hidden_state", "sentence_embedding"]) == ("sentence_embedding",)
    assert scored(["hidden", "end_logits", "start_logits"]) == ("start_logits", "end_logits")
    assert scored(["logits"]) == ("logits",)
    assert scored(["pooled", "other"]) == ("pooled",)


def test_several_outputs_become_one_array() -> None:
    start, end = np.zeros((2, 5)), np.ones((2, 5))
    assert joined([start]) is start
    assert joined([start, end]).shape == (2, 5, 2)
