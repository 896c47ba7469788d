"""How the loss of each row moves with the masks of heads and units: what Fisher information is made of."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

import torch
from torch import nn

Batch = dict[str, torch.Tensor]
Loss = Callable[[nn.Module, Batch], torch.Tensor]
Key = TypeVar("Key", bound=Hashable)


def mask_slopes(
    model: nn.Module, outputs: Mapping[Key, tuple[nn.Module, int]], batches: Iterable[Batch], loss: Loss
) -> Iterator[tuple[int, dict[Key, torch.Tensor]]]:
    """Per batch, its rows and (rows, members): the slope of each row's own loss in each mask, at a mask of 1.

    `outputs` are the output projections to watch, each with the size of a member. The mask of a member
    multiplies what it feeds to its projection (Kwon et al. 2022, arXiv 2204.09656, equation 1). `loss` is
    a mean over the rows of a batch. Gradients of `model` are cleared.
    """
    found: dict[Key, torch.Tensor] = {}

    def watch(key: Key, size: int) -> Callable[[nn.Module, tuple[torch.Tensor]], None]:
        def before(module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
            (value,) = inputs  # (texts, length, members x size)
            # A hook that held `value` would be a cycle: batches would stay until Python looks for those.
            fed = value.detach()

            def gradient(slope: torch.Tensor) -> None:
                found[key] = (fed * slope).sum(1).view(len(fed), -1, size).sum(-1)

            value.register_hook(gradient)  # type: ignore[no-untyped-call]

        return before

    handles = [module.register_forward_pre_hook(watch(key, size)) for key, (module, size) in outputs.items()]
    try:
        for batch in batches:
            found.clear()
            model.zero_grad(set_to_none=True)
            loss(model, batch).backward()  # type: ignore[no-untyped-call]
            rows = len(next(iter(batch.values())))
            # A row may be several texts, as in multiple choice: its loss moves with the mask in all of them.
            yield rows, {key: each.view(rows, -1, each.shape[1]).sum(1) * rows for key, each in found.items()}
    finally:
        for handle in handles:
            handle.remove()
        model.zero_grad(set_to_none=True)
