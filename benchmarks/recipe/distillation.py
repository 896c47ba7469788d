"""Other ways to match hidden states, which the recipe was compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from compresskit.architecture import Architecture
from compresskit.training.losses import Distillation

PLACE, EVEN, FINAL = "place", "even", "final"


@dataclass(frozen=True)
class Mapped(Distillation):
    """`mapping`: `place` matches each kept layer to the teacher's layer of the same place, `even` cuts the
    teacher's depth into equal parts and takes the last layer of each (TinyBERT, arXiv 1909.10351, section
    4.1), `final` matches the last kept layer alone.
    """

    mapping: str = PLACE

    def pairs(self, architecture: Architecture) -> list[tuple[int, int]]:
        total, kept = len(architecture.layers), architecture.kept_layers
        depth = len(kept)
        if self.mapping == FINAL:
            return [(depth - 1, total - 1)]
        if self.mapping == EVEN:
            return [(i, -(-(i + 1) * total // depth) - 1) for i in range(depth)]
        return list(enumerate(kept))


@dataclass(frozen=True)
class Related(Distillation):
    """`relations`: weight of `relation_loss` of the last hidden states."""

    relations: float = 1.0

    def of_states(
        self,
        student: Sequence[torch.Tensor],
        teacher: Sequence[torch.Tensor],
        architecture: Architecture,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        heads = architecture.layers[0].heads.total
        related = self.relations * relation_loss(student[-1], teacher[-1], mask, heads)
        return super().of_states(student, teacher, architecture, mask) + related


def relation_loss(
    student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor, num_heads: int
) -> torch.Tensor:
    """KL divergence of token-to-token relations, a mean over tokens and heads.

    A relation is `softmax(x x^T / sqrt(size))` within each of `num_heads` parts of the hidden states
    (MiniLMv2, arXiv 2012.15828, equation 5, which takes queries, keys and values instead).
    `student`, `teacher`: (batch, length, hidden); `mask`: (batch, length).
    """
    absent = mask[:, None, None, :] == 0
    taught, found = (_relations(states, num_heads, absent) for states in (teacher, student))
    divergence = (taught.exp() * (taught - found)).masked_fill(absent, 0.0).sum(-1)  # (B, heads, T)
    return (divergence.mean(1) * mask).sum() / mask.sum()


def _relations(states: torch.Tensor, num_heads: int, absent: torch.Tensor) -> torch.Tensor:
    rows, length, _ = states.shape
    parts = states.float().view(rows, length, num_heads, -1).transpose(1, 2)  # (B, heads, T, size)
    scores: torch.Tensor = parts @ parts.mT / parts.shape[-1] ** 0.5
    return scores.masked_fill(absent, torch.finfo(scores.dtype).min).log_softmax(-1)
