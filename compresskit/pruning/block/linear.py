"""Linear layers that hold only the weights that block pruning left."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from compresskit.blocks import OUTPUTS, BlockMatrix, BlockPlan


class BlockLinear(nn.Module):
    """`y = x W^T + b` for a block-structured W (out, in), computed block by block.

    Where outputs are cut, each block gathers the inputs that it keeps; where inputs are, each block adds
    to the outputs that it keeps. `weight` is flat: block after block, each (its outputs, its inputs).
    It trains as any module does; what was pruned has no parameters.
    """

    members: torch.Tensor

    def __init__(self, matrix: BlockMatrix, *, bias: bool = True) -> None:
        super().__init__()
        self.matrix = matrix
        self.out_features, self.in_features = matrix.shape
        self.weight = nn.Parameter(torch.empty(matrix.num_params))
        self.bias = nn.Parameter(torch.empty(self.out_features)) if bias else None
        members = np.concatenate([index for _, index in matrix.blocks()])
        self.register_buffer("members", torch.from_numpy(members.astype(np.int32)), persistent=False)

    @classmethod
    @torch.no_grad()
    def of(cls, linear: nn.Linear, matrix: BlockMatrix) -> BlockLinear:
        """The weights of `linear` that `matrix` keeps; the others are taken for zero."""
        assert linear.weight.shape == matrix.shape, (linear.weight.shape, matrix.shape)
        made = cls(matrix, bias=linear.bias is not None).to(linear.weight)
        made.weight.copy_(gather_weight(linear.weight, matrix))
        if made.bias is not None:
            made.bias.copy_(linear.bias)
        return made.train(linear.training)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., in) -> (..., out)."""
        results: list[torch.Tensor] = []
        cuts_outputs = self.matrix.axis == OUTPUTS
        y = None if cuts_outputs else x.new_zeros((*x.shape[:-1], self.out_features))
        start = first = begin = 0  # in the flat weight, in the members, in the inputs
        for width, kept in zip(self.matrix.widths, self.matrix.kept, strict=True):
            index = self.members[first : first + kept.count]
            weight = self.weight[start : start + width * kept.count]
            if cuts_outputs:
                results.append(F.linear(x.index_select(-1, index), weight.view(width, kept.count)))
            else:
                part = F.linear(x[..., begin : begin + width], weight.view(kept.count, width))
                assert y is not None
                y = y.to(part.dtype).index_add(-1, index, part)
            start, first, begin = start + width * kept.count, first + kept.count, begin + width
        y = torch.cat(results, dim=-1) if y is None else y
        return y if self.bias is None else y + self.bias.to(y.dtype)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, {self.matrix.signature}"


def gather_weight(weight: torch.Tensor, matrix: BlockMatrix) -> torch.Tensor:
    """What `matrix` keeps of a dense `weight` (out, in), flat as in BlockLinear."""
    parts = []
    for block, members in matrix.blocks():
        index = torch.from_numpy(members).to(weight.device)
        kept = weight[block][:, index] if matrix.axis == OUTPUTS else weight[index][:, block]
        parts.append(kept.reshape(-1))
    return torch.cat(parts)


def scatter_weight(flat: torch.Tensor, matrix: BlockMatrix) -> torch.Tensor:
    """The dense weight (out, in) of a flat one, zero where it was pruned."""
    weight = flat.new_zeros(matrix.shape)
    start = 0
    for (block, members), kept in zip(matrix.blocks(), matrix.kept, strict=True):
        index = torch.from_numpy(members).to(flat.device)
        width = block.stop - block.start
        part = flat[start : start + width * kept.count]
        if matrix.axis == OUTPUTS:
            weight[block.start : block.stop, index] = part.view(width, kept.count)
        else:
            weight[index, block.start : block.stop] = part.view(kept.count, width)
        start += width * kept.count
    return weight


def compact(model: nn.Module, plan: BlockPlan) -> nn.Module:
    """Put a BlockLinear in place of every Linear layer that `plan` names, in place; returns `model`."""
    for name, matrix in plan.items():
        linear = model.get_submodule(name)
        assert isinstance(linear, nn.Linear)
        owner, _, child = name.rpartition(".")
        setattr(model.get_submodule(owner), child, BlockLinear.of(linear, matrix))
    return model
