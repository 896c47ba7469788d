"""Tiny classifiers in which every parameter is random, and texts for them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from onnx import ModelProto, numpy_helper
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification

from compresskit.architecture import Architecture, Layer
from compresskit.kept import Kept
from compresskit.supernet.last_token import pool_last

HEADS, UNITS, LAYERS, VOCABULARY, POSITIONS = 4, 48, 3, 100, 40
SPECIAL = tuple(f"{name}_token_id" for name in ("pad", "bos", "eos", "cls", "sep"))
SPOILED = "bert.encoder.layer.1.output.dense"


def make_model(model_type: str = "bert", *, num_labels: int = 3) -> nn.Module:
    """Norms and biases are random too: zeros and ones would hide a wrong cut."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": UNITS,
    }
    if model_type == "distilbert":
        sizes = {"dim": 32, "n_layers": LAYERS, "n_heads": HEADS, "hidden_dim": UNITS}
    if model_type == "electra":
        sizes["embedding_size"] = 16
    if model_type == "modernbert":  # global, local, local attention; texts are longer than the window
        sizes |= {"local_attention": 8, **dict.fromkeys(SPECIAL, 1)}
    if model_type == "eurobert":
        sizes |= dict.fromkeys(SPECIAL, 1)
    if model_type in (
        "qwen2",
        "qwen3",
        "mistral",
        "ministral",
    ):  # two queries to each key and value
        sizes |= {"num_attention_heads": 2 * HEADS, "num_key_value_heads": HEADS, "head_dim": 8}
    config = AutoConfig.for_model(
        model_type,
        vocab_size=VOCABULARY,
        max_position_embeddings=POSITIONS,
        num_labels=num_labels,
        **sizes,
    )
    model = pool_last(AutoModelForSequenceClassification.from_config(config))
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.normal_(0, 0.2)
            if "norm" in name.lower() and name.endswith("weight"):
                value.add_(1)
    return model.eval()


def kept(heads: tuple[int, ...], units: tuple[int, ...]) -> Layer:
    return Layer(Kept.of(HEADS, heads), Kept.of(UNITS, units))


ALL_HEADS, ALL_UNITS = tuple(range(HEADS)), tuple(range(UNITS))
ARCHITECTURES = {
    "full": Architecture(tuple(kept(ALL_HEADS, ALL_UNITS) for _ in range(LAYERS))),
    "irregular": Architecture((kept((1, 3), tuple(range(5, 40, 3))), kept((), ()), kept((0,), (0, 7, 40)))),
    "without parts": Architecture((kept((), (3, 7)), kept((2,), ()), kept(ALL_HEADS, ALL_UNITS))),
    "last without heads": Architecture((kept((0, 2), ALL_UNITS), kept((), (5,)), kept((), (1, 2, 9)))),
    "no heads at all": Architecture((kept((), (1, 2)), kept((), ()), kept((), ALL_UNITS))),
}


def spoiled(plain: ModelProto, outlier: float) -> ModelProto:
    """A BERT's export, one unit before SPOILED so large that int8 leaves little of the others."""
    graph = copy.deepcopy(plain)
    for item in graph.graph.initializer:
        if item.name == "bert.encoder.layer.1.intermediate.dense.bias":
            value = numpy_helper.to_array(item).copy()
            value[0] = outlier
            item.raw_data = value.tobytes()
        if item.name == f"{SPOILED}.weight":
            value = numpy_helper.to_array(item).copy()
            value[0] = 0.0
            item.raw_data = value.tobytes()
    return graph


def make_rows(lengths: tuple[int, ...] = (7, 1, 30, 12), seed: int = 0) -> list[dict[str, list[int]]]:
    random = np.random.default_rng(seed)
    return [
        {
            "input_ids": random.integers(2, VOCABULARY, length).tolist(),
            "token_type_ids": random.integers(0, 2, length).tolist(),
        }
        for length in lengths
    ]
