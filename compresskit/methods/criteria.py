"""What decides which heads and units stay: their magnitude, or the Fisher information of their masks."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import nn

from compresskit.architecture import Architecture
from compresskit.methods.base import MethodContext
from compresskit.pruning.rivals.scores import MaskGradients, mask_gradients
from compresskit.pruning.rivals.selection import select, select_evenly
from compresskit.supernet.importance import Importance, magnitude_importance
from compresskit.supernet.surgery import blueprint_of
from compresskit.training.cost import step_cost
from compresskit.training.stages import batch_loss
from compresskit.training.strategies import FROM_LABELS, Lesson


class Criterion(ABC):
    """Scores the members of a sub-network on its present weights, and chooses among them."""

    @abstractmethod
    def cost(self, context: MethodContext, architecture: Architecture, rows: int) -> float:
        """Full steps that scoring takes."""

    @abstractmethod
    def scores(
        self, context: MethodContext, model: nn.Module, architecture: Architecture, rows: int
    ) -> Importance: ...

    @abstractmethod
    def choose(
        self, context: MethodContext, scores: Importance, within: Architecture, share: float
    ) -> Architecture:
        """The best of `within` at a share of the dense multiply-accumulates."""


class Magnitude(Criterion):
    """L2 norms of output weights; the same share of heads as of units, whose norms are of other sizes."""

    def cost(self, context: MethodContext, architecture: Architecture, rows: int) -> float:
        return 0.0

    def scores(
        self, context: MethodContext, model: nn.Module, architecture: Architecture, rows: int
    ) -> Importance:
        return magnitude_importance(model, blueprint_of(model))

    def choose(
        self, context: MethodContext, scores: Importance, within: Architecture, share: float
    ) -> Architecture:
        multiple = context.settings.unit_multiple
        return select_evenly(scores, within, context.mac_costs, share * context.full_macs, multiple=multiple)


class Fisher(Criterion):
    """Diagonal Fisher information; heads and units share one budget (see `rivals.selection.select`)."""

    def cost(self, context: MethodContext, architecture: Architecture, rows: int) -> float:
        batches = -(-min(rows, len(context.inputs.task.train.encoded)) // context.settings.batch_size)
        return batches * step_cost(context.blueprint, [Lesson(architecture, FROM_LABELS)])

    def scores(
        self, context: MethodContext, model: nn.Module, architecture: Architecture, rows: int
    ) -> Importance:
        return gradients_of(context, model, architecture, rows).fisher()

    def choose(
        self, context: MethodContext, scores: Importance, within: Architecture, share: float
    ) -> Architecture:
        multiple = context.settings.unit_multiple
        return select(scores, within, context.mac_costs, share * context.full_macs, multiple=multiple)


def gradients_of(
    context: MethodContext, model: nn.Module, architecture: Architecture, rows: int
) -> MaskGradients:
    """Mask gradients of the loss on the labels of a sample of training rows."""
    return mask_gradients(model, architecture, context.batches(rows), batch_loss(context.inputs.task.kind))
