"""Uneven architectures of MiniLM-L6, from a thirtieth of its weights to nearly all, as graphs on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency.subjects import VARIANT, Settings, minilm
from compresskit.architecture import Architecture, Dimensions

_SMALLEST, _LARGEST = 1 / 30, 0.95
_UNIT_MULTIPLE = 32


@dataclass(frozen=True)
class Graphs:
    """The dense graph and those of the architectures, smallest first; `files[0]` is the dense one."""

    files: tuple[Path, ...]
    signatures: tuple[str, ...]
    sizes: tuple[float, ...]
    architectures: tuple[Architecture, ...]

    @classmethod
    def read(cls, work: Path) -> Graphs:
        value = json.loads((work / "graphs.json").read_text())
        files = (work / name for name in value["files"])
        architectures = map(Architecture.from_json, value["architectures"])
        return cls(
            tuple(files), tuple(value["signatures"]), tuple(value["relative_sizes"]), tuple(architectures)
        )


def write_graphs(model: Path, path: Path, number: int) -> None:
    """One export, and all graphs cut from it in the variant that they are measured in."""
    slicer = minilm(Settings(model, path.parent, path.parent, 1.0)).slicer
    dims = slicer.blueprint.dims
    rng = np.random.default_rng(27)
    wanted = np.geomspace(_SMALLEST, _LARGEST, number)
    found = [slicer.full, *(uneven(dims, size, rng) for size in wanted)]
    value: dict[str, Any] = {
        "files": [f"graph-{index:02}.onnx" for index in range(len(found))],
        "architectures": [architecture.to_json() for architecture in found],
        "signatures": [architecture.signature for architecture in found],
        "relative_sizes": [architecture.relative_size(dims) for architecture in found],
    }
    for name, architecture in zip(value["files"], found, strict=True):
        graph = VARIANT.apply(slicer.slice(architecture))
        (path.parent / name).write_bytes(graph.SerializeToString())
    path.write_text(json.dumps(value, indent=2) + "\n")


def uneven(dims: Dimensions, size: float, rng: np.random.Generator) -> Architecture:
    """An architecture of about that relative size, with heads and units drawn apart for each layer."""
    heads, units = rng.uniform(0.1, 1, dims.num_layers), rng.uniform(0.1, 1, dims.num_layers)
    drawn = [_scaled(dims, heads, units, factor) for factor in np.geomspace(0.01, 20, 400)]
    kept = [each for each in drawn if each is not None]
    return min(kept, key=lambda each: abs(np.log(each.relative_size(dims) / size)))


def _scaled(
    dims: Dimensions, heads: np.ndarray[Any, Any], units: np.ndarray[Any, Any], factor: float
) -> Architecture | None:
    """None where nothing would be left."""
    groups = dims.num_units // _UNIT_MULTIPLE
    counts = [
        (
            round(dims.num_heads * min(factor * of_heads, 1)),
            _UNIT_MULTIPLE * round(groups * min(factor * of_units, 1)),
        )
        for of_heads, of_units in zip(heads, units, strict=True)
    ]
    return Architecture.of_counts(dims, counts) if any(map(any, counts)) else None
