"""Read an engine folder's PyTorch model back."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.blocks import BlockPlan
from compresskit.bundle.manifest import verify
from compresskit.errors import EngineError
from compresskit.families import family_for
from compresskit.pruning.block.linear import compact, scatter_weight
from compresskit.pruning.extract import assemble
from compresskit.slicing import HEAD_IDS
from compresskit.supernet.classes import class_for, config_of
from compresskit.supernet.heads import restore_heads
from compresskit.supernet.last_token import pool_last
from compresskit.supernet.surgery import blueprint_of


def load_pruned(folder: str | Path) -> nn.Module:
    """The pruned model of an engine folder, in evaluation mode, on the CPU.

    Raises EngineError for a damaged folder or another format version, and when the weights are not
    the architecture's.
    """
    from safetensors.torch import load_file

    folder = Path(folder)
    manifest = verify(folder)
    if not (folder / "model.safetensors").is_file():
        raise EngineError(f"{folder} has no model.safetensors, so no PyTorch model. Export the point again.")
    weights = load_file(folder / "model.safetensors")
    architecture = Architecture.from_json(manifest.architecture)
    blocks = BlockPlan.from_json(manifest.blocks.get("matrices", {}))
    config = config_of(folder)
    # A dense model in which every layer that was dropped is like the first that is left.
    place = {old: new for new, old in enumerate(architecture.kept_layers)}
    family = family_for(config.model_type)
    family.set_layers(config, [place.get(layer, 0) for layer in range(len(architecture.layers))])
    with torch.device("meta"):
        dense = pool_last(class_for(manifest.kind.hub_task).from_config(config))
    blueprint = blueprint_of(dense)
    wanted = blueprint.plan(architecture).shapes(blueprint.shapes)
    wanted |= {f"{name}.weight": (matrix.num_params,) for name, matrix in blocks.items()}
    found = {name: tuple(value.shape) for name, value in weights.items() if value.numel()}
    if found != wanted:
        odd = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise EngineError(
            f"{folder}/model.safetensors does not hold the architecture of compresskit.json: "
            f"{odd[0]} is {found.get(odd[0])}, not {wanted.get(odd[0])}. Export the point again."
        )
    weights = {name: value for name, value in weights.items() if value.numel()}
    for name, matrix in blocks.items():
        weights[f"{name}.weight"] = scatter_weight(weights[f"{name}.weight"], matrix)
    lists = getattr(config, HEAD_IDS, None)
    pruned = assemble(dense, architecture, blueprint, weights)
    restore_heads(pruned, lists)
    _restore_buffers(pruned, config, type(dense))
    return compact(pruned, blocks).eval()


def _restore_buffers(model: nn.Module, config: Any, model_class: type[nn.Module]) -> None:
    """Buffers such as `position_ids` are not saved: take them from a model of one layer of each kind."""
    small, family = copy.deepcopy(config), family_for(config.model_type)
    family.set_layers(small, family.layer_kinds(config))
    real = dict(model_class(small).named_buffers())
    for name, buffer in list(model.named_buffers()):
        if buffer.is_meta:
            owner, _, leaf = name.rpartition(".")
            module = model.get_submodule(owner)
            module.register_buffer(leaf, real[name].clone(), persistent=False)
