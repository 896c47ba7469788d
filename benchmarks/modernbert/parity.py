"""Graphs against PyTorch: sliced from the dense graph and exported again, at many shapes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from onnx import ModelProto

from compresskit.architecture import Architecture
from compresskit.bundle.session import make_session
from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.pruning.extract import extract

ROWS, LENGTHS = (1, 3, 8), (5, 64, 129, 600)
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Parity:
    """Largest differences of logits to PyTorch's over all shapes, and the largest of those logits."""

    sliced: float
    exported: float
    largest_logit: float

    @property
    def holds(self) -> bool:
        return max(self.sliced, self.exported) <= TOLERANCE


def parity(model: Any, slicer: GraphSlicer, architecture: Architecture) -> Parity:
    """Of the graph sliced for `architecture` and of a fresh export of the pruned `model`."""
    pruned = extract(model, architecture).eval()
    sessions = [_session(slicer.slice(architecture)), _session(export_onnx(pruned))]
    (sliced, exported), largest = _largest(sessions, pruned)
    return Parity(sliced, exported, largest)


def engine_difference(session: Any, pruned: Any) -> float:
    """Largest difference of the logits of an ONNX Runtime session to PyTorch's over all shapes."""
    return _largest([session], pruned)[0][0]


def _largest(sessions: Sequence[Any], pruned: Any) -> tuple[list[float], float]:
    differences, largest = [0.0] * len(sessions), 0.0
    for batch in _batches(pruned.config.vocab_size, pruned.config.pad_token_id):
        with torch.inference_mode():
            wanted = pruned(**{name: torch.from_numpy(value) for name, value in batch.items()}).logits.numpy()
        largest = max(largest, float(np.abs(wanted).max()))
        for place, session in enumerate(sessions):
            (found,) = session.run(["logits"], {item.name: batch[item.name] for item in session.get_inputs()})
            differences[place] = max(differences[place], float(np.abs(found - wanted).max()))
    return differences, largest


def _session(graph: ModelProto) -> Any:
    return make_session(graph.SerializeToString(), None, threads=1)


def _batches(vocabulary: int, pad_id: int) -> Iterator[Mapping[str, Any]]:
    """Random ids at every shape; rows but the first are padded at the end, each to another length."""
    rng = np.random.default_rng(0)
    for rows, length in itertools.product(ROWS, LENGTHS):
        ids = rng.integers(vocabulary // 20, vocabulary, (rows, length))
        sizes = np.maximum(length - np.arange(rows) * (length // 10 + 1), 1)
        mask = (np.arange(length) < sizes[:, None]).astype(np.int64)
        yield {"input_ids": np.where(mask == 1, ids, pad_id), "attention_mask": mask}
