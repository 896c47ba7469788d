"""Second stage: within each layer, members are exchanged so that what goes hurts least together."""

from __future__ import annotations

import torch

from compresskit.architecture import Architecture, Layer
from compresskit.kept import Kept
from compresskit.pruning.rivals.scores import MaskGradients

_PASSES = 10


def rearrange(architecture: Architecture, gradients: MaskGradients) -> Architecture:
    """As many heads and units in every layer, but those that go chosen together.

    Kwon et al. 2022, section 4.2: the Fisher information is taken as block-diagonal, one block for the
    heads and one for the units of a layer, so that members whose effects cancel may go together.
    """
    return Architecture(
        tuple(
            Layer(
                rearrange_kept(layer.heads, gradients.heads[:, number]),
                rearrange_kept(layer.units, gradients.units[:, number]),
            )
            for number, layer in enumerate(architecture.layers)
        )
    )


def rearrange_kept(kept: Kept, gradients: torch.Tensor) -> Kept:
    """`kept` with the same count and less damage, where exchanging one for one finds it.

    Damage is `(1 - m)^T F (1 - m)` of the mask m: the sum over rows of the squared slope of what goes.

    Each member that stays is in turn added to those that go, and the one whose return leaves least
    damage comes back (the authors' greedy pass); passes are repeated until one changes nothing, so that
    no single exchange is left that would do better. `gradients`: (rows, members).
    """
    if kept.count in (0, kept.total):
        return kept
    slopes = gradients.double()
    fisher = slopes.T @ slopes  # (members, members)
    own = fisher.diagonal()
    gone = torch.ones(kept.total, dtype=torch.bool)
    gone[list(kept.indices)] = False
    pull = fisher[:, gone].sum(1)  # each member's product with the sum of those that go
    for _ in range(_PASSES):
        changed = False
        for member in own.argsort(stable=True).tolist():
            if gone[member]:
                continue
            gone[member] = True
            pull += fisher[:, member]
            # Without member i the damage falls by 2 pull_i - own_i; the newcomer wins ties.
            relief = (2 * pull - own).masked_fill(~gone, -torch.inf)
            back = int(relief.argmax())
            if relief[back] <= relief[member] * (1 + 1e-12):
                back = member
            gone[back] = False
            pull -= fisher[:, back]
            changed |= back != member
        if not changed:
            break
    return Kept.of(kept.total, (~gone).nonzero().flatten().tolist())
