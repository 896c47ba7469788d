"""Encoders whose head is a pooling: a text's tokens, and one vector made of them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from transformers import AutoModel, PreTrainedModel
from transformers.utils import ModelOutput

from compresskit.inputs import PADDING_MASK

SETTINGS = "compresskit_pooling"
"""Of a configuration: {"pooling": one of `tasks.sentence.POOLINGS`, "normalize": whether length is 1}."""


@dataclass
class Embedded(ModelOutput):  # type: ignore[misc]
    """`last_hidden_state` (batch, length, hidden), and `sentence_embedding` (batch, hidden) made of it."""

    last_hidden_state: torch.Tensor | None = None
    sentence_embedding: torch.Tensor | None = None
    hidden_states: tuple[torch.Tensor, ...] | None = None


def pooled(hidden: torch.Tensor, mask: torch.Tensor, pooling: str, *, normalize: bool) -> torch.Tensor:
    """(batch, hidden) of (batch, length, hidden), of the tokens where `mask` (batch, length) is 1.

    As sentence-transformers does: Reimers and Gurevych 2019 (arXiv 1908.10084), section 3.
    """
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    if pooling == "cls":
        found = hidden[:, 0]
    elif pooling == "max":
        found = (hidden + (1 - weights) * -1e9).amax(1)
    else:
        found = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
    return F.normalize(found, dim=-1) if normalize else found


class AutoEmbedder:
    """Loads any encoder with a pooling, as AutoModel loads it without."""

    @classmethod
    def from_pretrained(cls, source: Any, *, config: Any, **options: Any) -> Any:
        return embedder_class(config.__class__).from_pretrained(source, config=config, **options)

    @classmethod
    def from_config(cls, config: Any) -> PreTrainedModel:
        return embedder_class(config.__class__)(config)


@cache
def embedder_class(config_class: Any) -> type[PreTrainedModel]:
    """The class of models of this configuration's type, under the name of the encoder's own class.

    So config.json of an engine names what others load. Weights have the names of a model with a head.
    """
    encoder: Any = AutoModel._model_mapping[config_class]
    parent: Any = next(each for each in encoder.__mro__[1:] if issubclass(each, PreTrainedModel))
    prefix = encoder.base_model_prefix
    bare = {"add_pooling_layer": False}
    bare = bare if "add_pooling_layer" in inspect.signature(encoder.__init__).parameters else {}

    def build(self: Any, config: Any) -> None:
        parent.__init__(self, config)
        setattr(self, prefix, encoder(config, **bare))
        self.post_init()

    def forward(self: Any, **inputs: Any) -> Embedded:
        output = getattr(self, prefix)(**inputs)
        hidden = output.last_hidden_state
        vector = pooled(hidden, inputs[PADDING_MASK], **getattr(self.config, SETTINGS))
        return Embedded(hidden, vector, output.hidden_states)

    # The exporter looks here for the names of inputs.
    forward.__signature__ = inspect.signature(encoder.forward)  # type: ignore[attr-defined]
    return type(encoder.__name__, (parent,), {"__init__": build, "forward": forward, "__module__": __name__})
