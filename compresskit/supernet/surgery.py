"""Skeletons: models of a sub-network's structure, onto which cut parameters are put."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from compresskit.errors import UnsupportedModelError
from compresskit.families import Blueprint, dimensions_of, family_for
from compresskit.slicing import SlicingPlan
from compresskit.supernet.classes import class_for
from compresskit.supernet.heads import heads_of, note_heads, tell_counts, tell_heads
from compresskit.supernet.lookup import SharedEmbedding
from compresskit.supernet.pass_through import PassThrough


def blueprint_of(model: nn.Module) -> Blueprint:
    """Blueprint of a dense transformers model; UnsupportedModelError for an unknown type."""
    config: Any = model.config
    shapes = {name: tuple(value.shape) for name, value in model.named_parameters()}
    return Blueprint(family_for(config.model_type), dimensions_of(config), shapes)


def blueprint_of_config(config: Any, hub_task: str) -> Blueprint:
    """Blueprint of a model for the task that a transformers configuration describes; no weights are made.

    UnsupportedModelError where transformers has no such model, or names its layers otherwise.
    """
    kind = class_for(hub_task)
    mapping = getattr(kind, "_model_mapping", None)  # of vectors any encoder makes
    if mapping is None or type(config) in mapping:
        with torch.device("meta"):
            found = blueprint_of(kind.from_config(config))
        if any(name.startswith(f"{found.family.stem}.") for name in found.shapes):
            return found
    raise UnsupportedModelError(
        f"a model of type {config.model_type} cannot be compressed for {hub_task}: transformers has no such "
        "model whose layers are known here. Give an encoder, such as bert, or another task."
    )


def skeleton_of(model: nn.Module, plan: SlicingPlan, blueprint: Blueprint) -> nn.Module:
    """A copy of `model` on the meta device with the layers and identities of `plan`.

    Linear layers keep their dense sizes: the parameters come from outside
    (`torch.func.functional_call`), and nothing else looks at them.
    """
    memo: dict[int, Any] = {}
    for tensor in model.parameters():
        memo[id(tensor)] = nn.Parameter(torch.empty_like(tensor, device="meta"))
    skeleton = copy.deepcopy(model, memo)
    reshape(skeleton, plan, blueprint)
    table: nn.Module = skeleton.get_input_embeddings()  # type: ignore[operator]
    if not isinstance(table, nn.Embedding):
        return skeleton
    shared = SharedEmbedding(
        table.num_embeddings, table.embedding_dim, padding_idx=table.padding_idx, device="meta"
    )
    skeleton.set_input_embeddings(shared)  # type: ignore[operator]
    return skeleton


def reshape(model: nn.Module, plan: SlicingPlan, blueprint: Blueprint) -> None:
    """Drop the layers that `plan` drops, put pass-throughs in and tell modules their heads, in place."""
    stem = blueprint.family.stem
    numbers = {_layer_number(cut.source, stem) for cut in plan.cuts.values()}
    kept = sorted(number for number in numbers if number is not None)
    parent_name, _, list_name = stem.rpartition(".")
    parent = model.get_submodule(parent_name)
    heads = heads_of(model)
    layers = parent.get_submodule(list_name)
    assert isinstance(layers, nn.ModuleList)
    setattr(parent, list_name, nn.ModuleList(layers[source] for source in kept))
    blueprint.family.set_layers(model.config, kept)
    for name, rule in plan.identities.items():
        owner, _, child = name.rpartition(".")
        setattr(model.get_submodule(owner), child, PassThrough(rule))
    tell_counts(model, plan.counts)
    tell_heads(model, plan.own_heads(heads), blueprint.dims.head_size)
    note_heads(model)


def _layer_number(name: str, stem: str) -> int | None:
    if not name.startswith(f"{stem}."):
        return None
    return int(name[len(stem) + 1 :].partition(".")[0])
