from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    EuroBertConfig,
    EuroBertForSequenceClassification,
    LlamaConfig,
    LlamaForSequenceClassification,
    LlamaForTokenClassification,
    MinistralConfig,
    MinistralForSequenceClassification,
    MistralConfig,
    MistralForSequenceClassification,
    Qwen2Config,
    Qwen2ForSequenceClassification,
    Qwen3Config,
    Qwen3ForSequenceClassification,
)

from compresskit.supernet.last_token import pool_last
from tests.contracts.family import (
    HEADS,
    HIDDEN,
    LAYERS,
    VOCABULARY,
    FamilyContract,
    padded_batch,
    randomize,
)
from tests.families.test_bert import SIZES as BERT_SIZES

SIZES: dict[str, Any] = {
    **BERT_SIZES,
    "num_attention_heads": 2 * HEADS,
    "num_key_value_heads": HEADS,
    "head_dim": HIDDEN // HEADS,
    "num_labels": 3,
    "pad_token_id": 1,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "use_cache": False,
}


@pytest.mark.slow
class TestLlama(FamilyContract):
    """One query to each key and value."""

    def make_model(self) -> nn.Module:
        sizes = SIZES | {"num_attention_heads": HEADS}
        return pool_last(LlamaForSequenceClassification(LlamaConfig(**sizes)))


@pytest.mark.slow
class TestQwen2(FamilyContract):
    """Queries in groups, biases of queries, keys and values."""

    def make_model(self) -> nn.Module:
        return pool_last(Qwen2ForSequenceClassification(Qwen2Config(**SIZES)))


class TestQwen3(FamilyContract):
    """Norms of each head's queries and keys, that all heads share; every second layer reads four tokens."""

    def make_model(self) -> nn.Module:
        kinds = ["full_attention", "sliding_attention"] * (LAYERS // 2)
        windows = {"use_sliding_window": True, "sliding_window": 4, "layer_types": kinds}
        return pool_last(Qwen3ForSequenceClassification(Qwen3Config(**SIZES, **windows)))


@pytest.mark.slow
class TestYarn(FamilyContract):
    """Rotations that are stretched, and multiplied by a factor."""

    def make_model(self) -> nn.Module:
        stretched = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8}
        config = LlamaConfig(**SIZES, rope_parameters={"rope_theta": 10_000.0, **stretched})
        return pool_last(LlamaForSequenceClassification(config))


@pytest.mark.slow
class TestMistral(FamilyContract):
    """A window over the last tokens."""

    def make_model(self) -> nn.Module:
        return pool_last(MistralForSequenceClassification(MistralConfig(**SIZES, sliding_window=4)))


@pytest.mark.slow
class TestMinistral(FamilyContract):
    """Layers with a window and without."""

    def make_model(self) -> nn.Module:
        kinds = ["full_attention", "sliding_attention"] * 2
        config = MinistralConfig(**SIZES, sliding_window=4, layer_types=kinds)
        return pool_last(MinistralForSequenceClassification(config))


@pytest.mark.slow
class TestEuroBert(FamilyContract):
    """Reads both ways; its classifier has a layer more."""

    def make_model(self) -> nn.Module:
        return EuroBertForSequenceClassification(EuroBertConfig(**SIZES, classifier_pooling="mean"))  # type: ignore[no-any-return]


def test_padding_on_either_side_changes_nothing() -> None:
    model = randomize(TestQwen3().make_model())
    batch = padded_batch(4, 9, left=False)
    right = model(**batch).logits
    left = {name: torch.stack([value.roll(row) for row, value in enumerate(batch[name])]) for name in batch}
    assert left["attention_mask"].tolist() == padded_batch(4, 9, left=True)["attention_mask"].tolist()
    torch.testing.assert_close(model(**left).logits, right, rtol=0, atol=2e-5)


def test_a_tagger_answers_for_each_token() -> None:
    model: Any = pool_last(LlamaForTokenClassification(LlamaConfig(**SIZES)))
    assert type(model) is LlamaForTokenClassification
    assert model(**padded_batch(2, 9, left=False)).logits.shape == (2, 9, 3)


def test_the_mask_says_which_token_is_last() -> None:
    """Also where that token is the one that pads, and where the model knows of none."""
    model: Any = randomize(TestLlama().make_model())
    ids, pad = torch.randint(5, VOCABULARY, (2, 9)), model.config.pad_token_id
    ids[:, 6:] = pad
    mask = (torch.arange(9) < 7).long().expand(2, 9)
    wanted = model(input_ids=ids[:, :7]).logits
    torch.testing.assert_close(model(input_ids=ids, attention_mask=mask).logits, wanted, rtol=0, atol=1e-5)
    model.config.pad_token_id = None
    torch.testing.assert_close(model(input_ids=ids, attention_mask=mask).logits, wanted, rtol=0, atol=1e-5)
