"""Modules that are told which heads they have: those of families whose layers share a bias of scores.

A dense model is told nothing until its heads are put into another order: it has them all, in their own. The
configuration keeps what a model was told, since nothing else of transformers' files can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from compresskit.families import dimensions_of, family_for
from compresskit.slicing import HEAD_IDS
from compresskit.supernet.pass_through import sub_layer


def heads_of(model: nn.Module) -> dict[str, torch.Tensor]:
    """(heads,) ids of each module that is told them, dense or pruned, by the name that plans give them."""
    return {name: ids for _, name, ids in told_heads(model)}


def tell_heads(model: nn.Module, heads: Mapping[str, torch.Tensor], head_size: int) -> None:
    """Let modules have these heads, by the names of `heads_of`, in place; their weights are not touched."""
    config: Any = model.config
    told = family_for(config.model_type).attention.told
    assert told is not None or not heads
    for name, ids in heads.items():
        assert told is not None
        module = model.get_submodule(name.rpartition(".")[0])
        setattr(module, told.width, len(ids) * head_size)
        if not hasattr(module, HEAD_IDS):
            module.register_buffer(HEAD_IDS, ids, persistent=False)
            module.register_forward_pre_hook(partial(_take_own, told.shared))
        setattr(module, HEAD_IDS, ids)


def tell_counts(model: nn.Module, counts: Mapping[str, int]) -> None:
    """Let modules know how many members they have, by the names of `SlicingPlan.counts`, in place."""
    for name, count in counts.items():
        owner, _, attribute = name.rpartition(".")
        setattr(model.get_submodule(owner), attribute, count)


def note_heads(model: nn.Module) -> None:
    """Write into the configuration what a model was told; nothing where layers have all heads in order."""
    config: Any = model.config
    found = list(told_heads(model))
    whole = list(range(dimensions_of(config).num_heads)) if found else []
    lists: list[list[int]] = [[] for _ in range(config.num_hidden_layers)]
    for layer, _, ids in found:
        lists[layer] = ids.tolist()
    if any(ids and ids != whole for ids in lists):
        setattr(config, HEAD_IDS, lists)
    elif hasattr(config, HEAD_IDS):
        delattr(config, HEAD_IDS)


def restore_heads(model: nn.Module, lists: Sequence[Sequence[int]] | None) -> None:
    """Tell a model that was read what `note_heads` wrote of it, which `lists` is."""
    if lists is None:
        return
    found = {name: torch.tensor(lists[layer], device=ids.device) for layer, name, ids in told_heads(model)}
    tell_heads(model, found, dimensions_of(model.config).head_size)
    note_heads(model)


def told_heads(model: nn.Module) -> Iterator[tuple[int, str, torch.Tensor]]:
    """Layer, name, and ids of the heads of each module that is told them."""
    config: Any = model.config
    family = family_for(config.model_type)
    if family.attention.told is None:
        return
    for layer in range(config.num_hidden_layers):
        name = f"{family.stem}.{layer}.{family.attention.told.module}"
        if (module := sub_layer(model, name)) is None:
            continue
        own = getattr(module, HEAD_IDS, None)
        if own is None:
            device = next(module.parameters()).device
            kept = "cpu" if device.type == "meta" else device
            own = torch.arange(dimensions_of(config).num_heads, device=kept)
        yield layer, f"{name}.{HEAD_IDS}", own


def _take_own(place: int, module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    shared, ids = args[place], getattr(module, HEAD_IDS)
    own = shared.index_select(1, ids if ids.device == shared.device else ids.to(shared.device))
    return (*args[:place], own, *args[place + 1 :])
