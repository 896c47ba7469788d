from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from compresskit.engine.verify import torch_logits
from compresskit.errors import EngineError
from compresskit.inputs import TEXT, text_inputs
from compresskit.pruning.vocabulary import cut_vocabulary
from tests.engine.models import VOCABULARY, make_model, make_rows


@pytest.mark.parametrize("model_type", ["bert", "roberta", "distilbert", "electra"])
def test_texts_of_tokens_that_stay_have_the_same_logits(model_type: str) -> None:
    model = make_model(model_type)
    rows = make_rows((9, 4))
    used = {token for row in rows for token in row["input_ids"]} | {0, 1, 2, 3}
    kept = np.array(sorted(used))
    smaller = copy.deepcopy(model)
    cut_vocabulary(smaller, kept)
    new = {int(old): i for i, old in enumerate(kept)}
    renumbered = [{**row, "input_ids": [new[i] for i in row["input_ids"]]} for row in rows]
    config: Any = model.config
    pad_id = int(config.pad_token_id)
    inputs = text_inputs(TEXT.names, pad_id)
    np.testing.assert_allclose(
        torch_logits(smaller, renumbered, inputs=inputs), torch_logits(model, rows, inputs=inputs), atol=1e-6
    )
    assert smaller.config.vocab_size == len(kept)  # type: ignore[union-attr]
    assert smaller.config.pad_token_id == pad_id  # type: ignore[union-attr]
    assert model.config.vocab_size == VOCABULARY  # type: ignore[union-attr]
    lost = (VOCABULARY - len(kept)) * smaller.get_input_embeddings().weight.shape[1]  # type: ignore[operator]
    count = [sum(p.numel() for p in each.parameters()) for each in (model, smaller)]
    assert count[0] - count[1] == lost


def test_special_tokens_follow() -> None:
    model = make_model("bert")
    model.config.sep_token_id = 50  # type: ignore[union-attr]
    cut_vocabulary(model, np.array([0, 7, 50]))
    assert model.config.sep_token_id == 2  # type: ignore[union-attr]


def test_a_token_without_an_embedding_is_named() -> None:
    with pytest.raises(EngineError, match=f"token {VOCABULARY}, the model only {VOCABULARY} embeddings"):
        cut_vocabulary(make_model("bert"), torch.arange(VOCABULARY + 1).numpy())
