"""Token embeddings whose gradient goes straight into the shared table."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


class SharedEmbedding(nn.Embedding):
    """An embedding of a sub-network: backward adds the rows that were looked up to `weight.grad`.

    autograd would fill a gradient as large as the table with zeros and add all of it, in every sub-network
    of a step: half the weights of a small model, for the few hundred rows of a batch.
    """

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        looked_up: torch.Tensor = _Lookup.apply(ids, self.weight, self.padding_idx)  # type: ignore[no-untyped-call]
        return looked_up


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, ids: torch.Tensor, weight: torch.Tensor, padding: int | None) -> torch.Tensor:
        ctx.ids, ctx.weight, ctx.padding = ids, weight, padding
        return F.embedding(ids, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[None, None, None]:
        weight: torch.Tensor = ctx.weight
        ids, rows = ctx.ids.flatten(), gradients[0].flatten(0, -2).to(weight.dtype)
        if ctx.padding is not None:  # as torch does: that row does not learn
            rows = rows * (ids != ctx.padding).unsqueeze(-1)
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
        weight.grad.index_add_(0, ids, rows)
        return None, None, None
