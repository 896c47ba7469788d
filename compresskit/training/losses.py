"""What a network is trained on: labels, a teacher's outputs, a teacher's hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F

from compresskit.architecture import Architecture


@dataclass(frozen=True)
class Distillation:
    """Weights of what a frozen teacher's pupils are trained on.

    `cosine`: of the last hidden states (DistilBERT, arXiv 1910.01108). `fading`: the weight of the logits
    falls to 0 by the end of training, so that pupils can outgrow the teacher (teacher annealing, Clark et al.
    2019, arXiv 1907.04829, section 3.2).
    """

    labels: float = 1.0
    logits: float = 1.0
    hidden: float = 1.0
    cosine: float = 0.0
    fading: bool = False

    def at(self, progress: float) -> Distillation:
        """The weights at this part of the training, from 0 to 1."""
        return replace(self, logits=self.logits * (1 - progress)) if self.fading else self

    def of_states(
        self,
        student: Sequence[torch.Tensor],
        teacher: Sequence[torch.Tensor],
        architecture: Architecture,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        """The losses of hidden states (see `hidden_loss`) with their weights; 0 where none is asked for."""
        loss = torch.zeros((), device=mask.device)
        if self.hidden:
            loss = loss + self.hidden * hidden_loss(student, teacher, self.pairs(architecture), mask)
        if self.cosine:
            loss = loss + self.cosine * cosine_loss(student[-1], teacher[-1], mask)
        return loss

    def pairs(self, architecture: Architecture) -> list[tuple[int, int]]:
        """(place among the kept layers, teacher's layer) of each hidden state that is matched.

        Each kept layer with the teacher's of the same place, but the last kept one with the teacher's last.
        """
        places = [*architecture.kept_layers]
        places[-1] = len(architecture.layers) - 1
        return list(enumerate(places))


def label_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of (positions, classes) with integer labels, or with probabilities of that shape.

    MSE of (positions, 1) with float labels. 0 where there is no position.
    """
    if not len(labels):
        return logits.float().sum()
    if labels.is_floating_point() and labels.ndim == 1:
        return F.mse_loss(logits.float().squeeze(-1), labels.to(torch.float32))
    return F.cross_entropy(logits.float(), labels)


def logit_loss(
    student: torch.Tensor, teacher: torch.Tensor, temperature: float, *, regression: bool
) -> torch.Tensor:
    """`T^2 * KL(softmax(teacher / T) || softmax(student / T))`; MSE for regression.

    Hinton et al. 2015 (arXiv 1503.02531); Klein et al. 2024, section 3.2. Both are (positions, classes).
    """
    if not len(student):
        return student.float().sum()
    if regression:
        return F.mse_loss(student.float(), teacher.float())
    targets = F.log_softmax(teacher.float() / temperature, dim=-1)
    found = F.log_softmax(student.float() / temperature, dim=-1)
    return temperature**2 * F.kl_div(found, targets, reduction="batchmean", log_target=True)


def score_loss(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Mean squared error of log-odds, in units of the teacher's variance in the batch, at least 1.

    Both are (positions, 2); log-odds are of the second of two classes. A teacher of rankings is followed by
    its logits, for its probabilities are near 0 for most passages and no longer tell their order (Hofstätter
    et al. 2020, arXiv 2010.02666; the margins there are of passages of one query, which need not share a
    batch here).
    """
    found, wanted = (logits.float().diff(dim=-1) for logits in (student, teacher))
    return F.mse_loss(found, wanted) / wanted.var(correction=0).clamp_min(1.0)


def consistency_loss(logits: torch.Tensor, *, regression: bool) -> torch.Tensor:
    """How far two outputs of one batch are apart: the first half of `logits` and the second.

    R-Drop (Liang et al. 2021, arXiv 2106.14448, equation 2): the mean of both KL divergences; MSE for
    regression. `logits`: (2 * positions, classes).
    """
    if not len(logits):
        return logits.float().sum()
    first, second = logits.float().chunk(2)
    if regression:
        return F.mse_loss(first, second)
    one, other = (F.log_softmax(half, dim=-1) for half in (first, second))
    both = [F.kl_div(*pair, reduction="batchmean", log_target=True) for pair in ((one, other), (other, one))]
    return (both[0] + both[1]) / 2


def vector_loss(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """How far vectors of texts, (batch, width), are from the teacher's, in units of its squared length.

    Reimers and Gurevych 2020 (arXiv 2004.09813), equation 1. Cosines between the texts of a batch as well, by
    squared differences (arXiv 1907.09682) or by their distributions (arXiv 2101.04731), made a network of
    half the size worse: 80 and 76 instead of 85 % of the dense model's ranks after 250 steps.
    """
    found, wanted = student.float(), teacher.float()
    return (found - wanted).square().sum(-1).mean() / wanted.square().sum(-1).mean()


def hidden_loss(
    student: Sequence[torch.Tensor],
    teacher: Sequence[torch.Tensor],
    pairs: Sequence[tuple[int, int]],
    mask: torch.Tensor,
) -> torch.Tensor:
    """Mean squared error of hidden states, in units of the teacher's own variance.

    `pairs` are (student's layer, teacher's layer), both from 0 (cf. TinyBERT, arXiv 1909.10351,
    equation 8). `student`, `teacher`: embedding output, then one (batch, length, hidden) tensor a
    layer; `mask`: (batch, length), 1 where there is a token.
    """
    weights = mask.unsqueeze(-1).to(torch.float32)
    tokens = weights.sum()
    total = torch.zeros((), device=mask.device)
    for layer, place in pairs:
        found, wanted = student[layer + 1].float(), teacher[place + 1].float()
        spread = (wanted.square() * weights).sum() / tokens
        total = total + ((found - wanted).square() * weights).sum() / tokens / spread
    return total / len(pairs)


def cosine_loss(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """1 - cosine of hidden states, a mean over tokens: direction alone, not length.

    `student`, `teacher`: (batch, length, hidden); `mask`: (batch, length), 1 where there is a token.
    """
    apart = 1 - F.cosine_similarity(student.float(), teacher.float(), dim=-1)
    return (apart * mask).sum() / mask.sum()
