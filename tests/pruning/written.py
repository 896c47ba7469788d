"""What `load_pruned` reads, without an engine's graph."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file
from torch import nn

from compresskit.architecture import Architecture
from compresskit.bundle.manifest import Manifest, hash_files, write_manifest
from compresskit.pruning.extract import extract


def write(folder: Path, dense: nn.Module, architecture: Architecture) -> nn.Module:
    """The files of an engine that `load_pruned` reads."""
    pruned = extract(dense, architecture).eval()
    write_pruned(folder, pruned, architecture)
    return pruned


def write_pruned(folder: Path, pruned: nn.Module, architecture: Architecture) -> None:
    """As `write`, of a model that is pruned already."""
    pruned.config.save_pretrained(folder)  # type: ignore[union-attr, operator]
    save_file(
        {name: value.contiguous() for name, value in pruned.state_dict().items()},
        folder / "model.safetensors",
    )
    sign(folder, architecture, "image" if "Image" in type(pruned).__name__ else "classification")


def sign(folder: Path, architecture: Architecture, task: str = "classification") -> None:
    """The manifest of the files as they are now."""
    manifest = Manifest(
        architecture=architecture.to_json(),
        signature=architecture.signature,
        precision="fp32",
        metric_name="accuracy",
        test_metric=None,
        num_params=1,
        macs=1,
        variant="plain",
        task={"name": task},
        files=hash_files(folder),
    )
    write_manifest(folder, manifest)
