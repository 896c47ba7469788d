"""What a network is trained on: labels, a teacher's outputs, a teacher's hidden states."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from compresskit.architecture import Architecture


def label_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of (batch, classes) with integer labels; MSE of (batch, 1) with float labels."""
    if labels.is_floating_point():
        return F.mse_loss(logits.float().squeeze(-1), labels.to(torch.float32))
    return F.cross_entropy(logits.float(), labels)


def logit_loss(
    student: torch.Tensor, teacher: torch.Tensor, temperature: float, *, regression: bool
) -> torch.Tensor:
    """`T^2 * KL(softmax(teacher / T) || softmax(student / T))`; MSE for regression.

    Hinton et al. 2015 (arXiv 1503.02531); Klein et al. 2024, section 3.2. Both are (batch, classes).
    """
    if regression:
        return F.mse_loss(student.float(), teacher.float())
    targets = F.log_softmax(teacher.float() / temperature, dim=-1)
    found = F.log_softmax(student.float() / temperature, dim=-1)
    return temperature**2 * F.kl_div(found, targets, reduction="batchmean", log_target=True)


def hidden_loss(
    student: Sequence[torch.Tensor],
    teacher: Sequence[torch.Tensor],
    architecture: Architecture,
    mask: torch.Tensor,
) -> torch.Tensor:
    """Mean squared error of hidden states, in units of the teacher's own variance.

    Each kept layer is matched to the teacher's layer of the same place, the last kept one to the
    teacher's last, as far as depth allows (cf. TinyBERT, arXiv 1909.10351, equation 8).
    `student`, `teacher`: embedding output, then one (batch, length, hidden) tensor a layer;
    `mask`: (batch, length), 1 where there is a token.
    """
    places = list(architecture.kept_layers)
    places[-1] = len(architecture.layers) - 1
    weights = mask.unsqueeze(-1).to(torch.float32)
    tokens = weights.sum()
    total = torch.zeros((), device=mask.device)
    for found, place in zip(student[1:], places, strict=True):
        wanted = teacher[place + 1].float()
        spread = (wanted.square() * weights).sum() / tokens
        total = total + ((found.float() - wanted).square() * weights).sum() / tokens / spread
    return total / len(places)
