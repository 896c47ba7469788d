"""The penalty that drives whole groups to zero: group lasso, plain or reweighted."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from compresskit.blocks import Partition
from compresskit.pruning.block.groups import group_norms

EPSILON = 1e-3
REFRESHES = 4


class GroupLasso:
    """`strength * sum over matrices and groups of gamma_ij * ||W_ij||_2`.

    Li et al. 2020 (arXiv 2009.08065), equation 3. Reweighted, `gamma_ij = 1 / (||W_ij||_2 + 1e-3)` is
    taken from the weights as they are at the first step and at further milestones, evenly spaced over
    the steps that are planned; plain, gamma is 1. A resumed training computes gamma again where it continues.
    """

    def __init__(
        self,
        model: nn.Module,
        partitions: Mapping[str, Partition],
        strength: float,
        *,
        reweighted: bool = True,
        refreshes: int = REFRESHES,
    ) -> None:
        self.weights = {module: model.get_parameter(f"{module}.weight") for module in partitions}
        self.partitions = partitions
        self.strength = strength
        self.reweighted = reweighted
        self.refreshes = refreshes
        self.gamma: dict[str, torch.Tensor] = {}
        self.refreshed_at: list[int] = []

    def __call__(self, step: int, steps: int) -> torch.Tensor:
        """The penalty before optimizer step `step` of `steps`: a scalar, differentiable in the weights."""
        if not self.gamma or step in self._milestones(steps):
            self._refresh(step)
        terms = [
            (self.gamma[module] * group_norms(weight, self.partitions[module])).sum()
            for module, weight in self.weights.items()
        ]
        return self.strength * torch.stack(terms).sum()

    def _milestones(self, steps: int) -> list[int]:
        return [steps * number // self.refreshes for number in range(self.refreshes)]

    @torch.no_grad()
    def _refresh(self, step: int) -> None:
        if self.refreshed_at[-1:] == [step]:
            return
        self.refreshed_at.append(step)
        for module, weight in self.weights.items():
            norms = group_norms(weight, self.partitions[module])
            self.gamma[module] = 1 / (norms + EPSILON) if self.reweighted else torch.ones_like(norms)
