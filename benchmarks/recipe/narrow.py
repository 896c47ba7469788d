"""A dense model of fewer hidden dimensions: what a super-network would give that could prune these, too.

It has all of the training to itself, so it bounds from above what the dimension is worth to a front.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from compresskit.supernet.batching import Batch
from compresskit.supernet.surgery import blueprint_of


def best_places(
    model: nn.Module,
    batches: Iterable[Batch],
    loss: Callable[[nn.Module, Batch], torch.Tensor],
    width: int,
) -> torch.Tensor:
    """The `width` hidden dimensions that matter most, ascending.

    First-order change of the loss on removal (cf. `taylor_importance`), taken at the LayerNorms, through
    which all of a post-norm encoder's hidden states go.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm)]
    model.eval()
    total = torch.zeros_like(norms[0].weight)
    for batch in batches:
        model.zero_grad(set_to_none=True)
        loss(model, batch).backward()  # type: ignore[no-untyped-call]
        for norm in norms:
            assert norm.weight.grad is not None and norm.bias.grad is not None
            total += (norm.weight.detach() * norm.weight.grad + norm.bias.detach() * norm.bias.grad).abs()
    model.zero_grad(set_to_none=True)
    return total.topk(width).indices.sort().values


@torch.no_grad()
def narrowed(model: nn.Module, places: torch.Tensor) -> nn.Module:
    """A copy of `model` with these hidden dimensions; its configuration still names the dense width."""
    blueprint = blueprint_of(model)
    family, hidden = blueprint.family, blueprint.dims.hidden_size
    narrow = copy.deepcopy(model)
    for name, module in narrow.named_modules():
        if isinstance(module, nn.Embedding):
            module.weight = nn.Parameter(module.weight[:, places])
            module.embedding_dim = len(places)
        elif isinstance(module, nn.LayerNorm):
            module.weight, module.bias = (nn.Parameter(p[places]) for p in (module.weight, module.bias))
            module.normalized_shape = (len(places),)
        elif isinstance(module, nn.Linear):
            inner = name[len(family.stem) + 1 :].partition(".")[2] if name.startswith(family.stem) else ""
            if inner in (family.attention.writes, family.feed_forward.writes):
                module.weight, module.bias = (nn.Parameter(p[places]) for p in (module.weight, module.bias))
            elif inner or name == family.once_linears[0]:  # what comes after keeps its width
                assert module.in_features == hidden
                module.weight = nn.Parameter(module.weight[:, places])
            module.out_features, module.in_features = module.weight.shape
    return narrow


class NarrowTeacher(nn.Module):
    """A teacher whose hidden states are seen in these dimensions only."""

    def __init__(self, model: nn.Module, places: torch.Tensor) -> None:
        super().__init__()
        self.model = model
        self.places = places

    def forward(self, **inputs: Any) -> Any:
        output = self.model(**inputs)
        output.hidden_states = tuple(states[..., self.places] for states in output.hidden_states)
        return output
