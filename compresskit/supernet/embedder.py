"""Encoders whose head is a pooling: a text's tokens, and one vector made of them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn
from transformers import AutoModel, PreTrainedModel
from transformers.utils import ModelOutput

from compresskit.inputs import PADDING_MASK

SETTINGS = "compresskit_pooling"
"""Of a configuration: {"pooling": one of `tasks.sentence.POOLINGS`, "normalize": whether length is 1}, and
"dims": numbers of a vector, where it is shortened."""


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
    elif pooling == "lasttoken":
        found = hidden[torch.arange(len(mask), device=mask.device), last_places(mask)]
    elif pooling == "max":
        found = (hidden + (1 - weights) * -1e9).amax(1)
    else:
        found = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
    return F.normalize(found, dim=-1) if normalize else found


def last_places(mask: torch.Tensor) -> torch.Tensor:
    """(batch,) the place of the last token that `mask` (batch, length) has, 0 where it has none."""
    return (torch.arange(mask.shape[-1], device=mask.device) * mask).argmax(-1)


def shorten(model: Any, directions: npt.NDArray[np.float32]) -> None:
    """Give `model` vectors of fewer numbers, along the columns of `directions` (hidden, numbers).

    Hidden states are projected, not vectors: so whoever pools them has these vectors too. Means and first
    tokens are the same either way.
    """
    weight = torch.from_numpy(np.ascontiguousarray(directions.T)).to(next(model.parameters()).device)
    if hasattr(model, "projection"):  # was shortened before
        weight = weight @ model.projection.weight.detach()
    model.projection = _projection(*weight.shape[::-1])
    model.projection.weight = nn.Parameter(weight)
    setattr(model.config, SETTINGS, {**getattr(model.config, SETTINGS), "dims": len(weight)})


def width_of(config: Any) -> int:
    """Numbers of a vector."""
    return int(getattr(config, SETTINGS, {}).get("dims") or config.hidden_size)


def _projection(hidden: int, numbers: int) -> nn.Linear:
    return nn.Linear(hidden, numbers, bias=False)


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
        if dims := getattr(config, SETTINGS, {}).get("dims"):
            self.projection = _projection(config.hidden_size, dims)
        self.post_init()

    def forward(self: Any, **inputs: Any) -> Embedded:
        output = getattr(self, prefix)(**inputs)
        hidden, settings = output.last_hidden_state, getattr(self.config, SETTINGS)
        if "dims" in settings:
            hidden = self.projection(hidden)
        vector = pooled(hidden, inputs[PADDING_MASK], settings["pooling"], normalize=settings["normalize"])
        return Embedded(hidden, vector, output.hidden_states)

    # The exporter looks here for the names of inputs.
    forward.__signature__ = inspect.signature(encoder.forward)  # type: ignore[attr-defined]
    return type(encoder.__name__, (parent,), {"__init__": build, "forward": forward, "__module__": __name__})
