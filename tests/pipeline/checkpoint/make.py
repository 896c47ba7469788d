"""Checkpoints of one small model, each spoiled in its own way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

Weights = dict[str, torch.Tensor]


def copy_of(
    source: Path,
    folder: Path,
    *,
    config: Mapping[str, Any] | None = None,
    without: tuple[str, ...] = (),
    weights: Callable[[Weights], Weights] | None = None,
) -> Path:
    """`source` in `folder`, with other keys of config.json, fewer files, or other weights."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    for name in without:
        (folder / name).unlink()
    if config is not None:
        edit_config(folder, config)
    if weights is not None:
        path = folder / "model.safetensors"
        save_file(weights(load_file(path)), path, metadata={"format": "pt"})
    return folder


def edit_config(folder: Path, changes: Mapping[str, Any]) -> None:
    """Set keys of config.json; those with the value `...` go."""
    path = folder / "config.json"
    values = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: value for name, value in values.items() if value is not ...}))


def prefixed(prefix: str) -> Callable[[Weights], Weights]:
    return lambda weights: {f"{prefix}{name}": value for name, value in weights.items()}
