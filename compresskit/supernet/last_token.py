"""Classifiers of decoders: a text's last token speaks for it, wherever its padding stands."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any, cast

import torch
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from compresskit.families import family_for
from compresskit.inputs import PADDING_MASK, TOKEN_IDS
from compresskit.supernet.classes import head_of
from compresskit.supernet.embedder import last_places
from compresskit.tasks.registry import DEFAULT, kind_named


def pool_last(model: nn.Module) -> nn.Module:
    """Let a classifier whose family pools at the last token find it by the attention mask, in place.

    transformers looks for the last id that is not the padding's instead: a text that ends in that id is
    pooled one token earlier, and a model without such an id takes no batch. The head is then applied once a
    text. Other models stay as they are.
    """
    config: Any = model.config
    head, kind = family_for(config.model_type).last_token_head, cast(Any, type(model))
    # A tagger's head has the same name, and answers for each token.
    if head and kind.__name__.endswith(head_of(kind_named(DEFAULT).hub_task)):
        model.__class__ = _pooling(kind, head)
    return model


@cache
def _pooling(kind: Any, head: str) -> Any:
    if kind.__module__ == __name__:
        return kind

    known = inspect.signature(kind.forward)

    def forward(self: Any, *args: Any, **named: Any) -> SequenceClassifierOutput:
        inputs = dict(zip(list(known.parameters)[1:], args, strict=False)) | named
        body = getattr(self, self.base_model_prefix)
        if inputs.get(PADDING_MASK) is None:
            inputs[PADDING_MASK] = torch.ones_like(inputs[TOKEN_IDS])
        found = body(**inputs | {"use_cache": False})
        mask = inputs[PADDING_MASK]
        rows = torch.arange(len(mask), device=mask.device)
        states = found.last_hidden_state[rows, last_places(mask)]
        return SequenceClassifierOutput(logits=getattr(self, head)(states), hidden_states=found.hidden_states)

    # The exporter looks here for the names of inputs.
    forward.__signature__ = known  # type: ignore[attr-defined]
    return type(kind.__name__, (kind,), {"forward": forward, "__module__": __name__})
