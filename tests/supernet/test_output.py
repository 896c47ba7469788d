from __future__ import annotations

import torch
from transformers.modeling_outputs import QuestionAnsweringModelOutput, SequenceClassifierOutput

from compresskit.supernet.output import said


def test_start_and_end_stand_side_by_side() -> None:
    start, end, states = torch.zeros(2, 5), torch.ones(2, 5), (torch.zeros(2, 5, 4),)
    output = QuestionAnsweringModelOutput(start_logits=start, end_logits=end, hidden_states=states)
    found = said(output)
    assert found.shape == (2, 5, 2)
    assert torch.equal(found[..., 1], end)


def test_logits_are_what_a_classifier_says() -> None:
    logits = torch.zeros(2, 3)
    assert said(SequenceClassifierOutput(logits=logits, hidden_states=(logits,))) is logits
