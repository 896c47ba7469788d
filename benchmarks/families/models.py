"""Models of base size with random weights, one a family: latency and parity do not depend on their values."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification

from compresskit.architecture import Architecture, Dimensions, Layer
from compresskit.kept import Kept
from compresskit.supernet.last_token import pool_last

LABELS, VOCABULARY, POSITIONS = 6, 8_000, 1_024
BASE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3_072,
    "max_position_embeddings": POSITIONS,
    "num_labels": LABELS,
    "pad_token_id": 1,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
GROUPED: dict[str, Any] = {"num_attention_heads": 16, "num_key_value_heads": 8}
# Model type -> what is not as in BASE.
MODELS: dict[str, dict[str, Any]] = {
    "nomic_bert": {},
    "gte": {},
    "jina_embeddings_v3": {},
    "eurobert": {"mask_token_id": 4},
    "llama": {"num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": 64, "hidden_size": 576},
    "qwen2": {**GROUPED, "hidden_size": 1_024},
    "qwen3": {**GROUPED, "hidden_size": 1_024, "head_dim": 128},
}


def drawn(model_type: str) -> nn.Module:
    torch.manual_seed(0)
    config = AutoConfig.for_model(model_type, **BASE | MODELS[model_type])
    model = pool_last(AutoModelForSequenceClassification.from_config(config))
    return model.eval()


def networks(dims: Dimensions) -> dict[str, Architecture]:
    """By name: dropped layers, half the width, and uneven layers of which some lack a part."""

    def kept(heads: int, units: int) -> Layer:
        return Layer(Kept.first(dims.num_heads, heads), Kept.first(dims.num_units, units))

    heads, units = dims.num_heads, dims.num_units
    every_second = range(0, dims.num_layers, 2)
    uneven = [
        kept(1 + layer % heads, 96 + 64 * (layer % 7)) if layer % 4 != 3 else kept(0, 64 * (layer % 3))
        for layer in range(dims.num_layers)
    ]
    return {
        "half of the layers": Architecture.uniform(dims, every_second, heads, units),
        "half of heads and units": Architecture.uniform(dims, range(dims.num_layers), heads // 2, units // 2),
        "uneven": Architecture(tuple(uneven)),
    }
