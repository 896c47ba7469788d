"""Read an engine folder's PyTorch model back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.errors import EngineError
from compresskit.pruning.extract import assemble
from compresskit.supernet.surgery import blueprint_of


def load_pruned(folder: str | Path) -> nn.Module:
    """The pruned model of an engine folder, in evaluation mode, on the CPU.

    Raises EngineError when the folder has no model or its weights are not the architecture's.
    """
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModelForSequenceClassification

    folder = Path(folder)
    try:
        manifest: dict[str, Any] = json.loads((folder / "compresskit.json").read_text())
        weights = load_file(folder / "model.safetensors")
    except (OSError, ValueError) as error:
        raise EngineError(f"{folder} is not an engine with a PyTorch model: {error}") from error
    architecture = Architecture.from_json(manifest["architecture"])
    config = AutoConfig.from_pretrained(folder)
    config.num_hidden_layers = len(architecture.layers)
    with torch.device("meta"):
        dense = AutoModelForSequenceClassification.from_config(config)
    blueprint = blueprint_of(dense)
    wanted = blueprint.plan(architecture).shapes(blueprint.shapes)
    found = {name: tuple(value.shape) for name, value in weights.items() if value.numel()}
    if found != wanted:
        odd = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise EngineError(
            f"{folder}/model.safetensors does not hold the architecture of compresskit.json: "
            f"{odd[0]} is {found.get(odd[0])}, not {wanted.get(odd[0])}. Export the point again."
        )
    weights = {name: value for name, value in weights.items() if value.numel()}
    pruned = assemble(dense, architecture, blueprint, weights)
    _restore_buffers(pruned, config)
    return pruned.eval()


def _restore_buffers(model: nn.Module, config: Any) -> None:
    """Buffers such as `position_ids` are not saved: take them from a model of one layer."""
    from transformers import AutoModelForSequenceClassification

    small = type(config).from_dict({**config.to_dict(), "num_hidden_layers": 1})
    real = dict(AutoModelForSequenceClassification.from_config(small).named_buffers())
    for name, buffer in list(model.named_buffers()):
        if buffer.is_meta:
            owner, _, leaf = name.rpartition(".")
            module = model.get_submodule(owner)
            module.register_buffer(leaf, real[name].clone(), persistent=False)
