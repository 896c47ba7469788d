"""What exported engines claim against what their files hold, and ONNX against PyTorch on the test split.

    python -m benchmarks.sst2.check --run RUN ENGINE ENGINE ...

Shapes and parameters are counted here with the onnx package alone, by code that shares nothing with the
exporter; multiply-accumulates on the file.
"""

from __future__ import annotations

import argparse
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks.results import write_results
from compresskit import load_engine, load_pruned
from compresskit.architecture import Architecture
from compresskit.engine.count import count_macs
from compresskit.engine.verify import torch_logits
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.store.reuse import stored_settings
from compresskit.pipeline.training.models import open_checkpoint
from compresskit.runs.directory import RunDirectory

_LENGTH = 128


def weight_shapes(graph: onnx.GraphProto) -> list[tuple[int, int]]:
    """(in, out) of each constant matrix that a MatMul or Gemm multiplies by, in graph order."""
    held = {item.name: tuple(item.dims) for item in graph.initializer}
    shapes = []
    for node in graph.node:
        if node.op_type in ("MatMul", "Gemm") and len(held.get(node.input[1], ())) == 2:
            turned = any(a.name == "transB" and a.i for a in node.attribute)
            rows, columns = held[node.input[1]]
            shapes.append((columns, rows) if turned else (rows, columns))
    return shapes


def unexplained(
    found: list[tuple[int, int]], architecture: Architecture, hidden: int, head_size: int, labels: int
) -> Counter[tuple[int, int]]:
    """What is too many (above 0) or missing (below) in `found` for an encoder of this architecture.

    Query, key and value may stand in one matrix, or key and value in one beside the query.
    """
    left = Counter(found)
    left.subtract([(hidden, hidden), (hidden, labels)])  # pooler and classifier
    for heads, units in architecture.shapes:
        if units:
            left.subtract([(hidden, units), (units, hidden)])
        if heads:
            width = heads * head_size
            left.subtract([(width, hidden)])
            one, two, three = ((hidden, width * n) for n in (1, 2, 3))
            forms = ([three], [one, two], [one] * 3)
            left.subtract(next((form for form in forms if not Counter(form) - left), forms[-1]))
    return Counter({shape: count for shape, count in left.items() if count})


def count_params(graph: onnx.GraphProto) -> int:
    """Elements of the float weights that have a dimension."""
    return sum(
        prod(item.dims)
        for item in graph.initializer
        if item.data_type == onnx.TensorProto.FLOAT and item.dims
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="+", type=Path)
    parser.add_argument("--run", type=Path, required=True)
    options = parser.parse_args()
    settings = stored_settings(RunDirectory.open(options.run), {}, (), "a check")
    checkpoint = open_checkpoint(settings.model)
    task = read_task(settings, checkpoint)
    config: Any = checkpoint.config
    hidden, head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
    rows = [
        [
            "engine",
            "matrices equal",
            "parameters equal",
            "MACs equal",
            "largest difference",
            "same labels",
            "rows",
        ]
    ]
    results = {}
    for folder in options.engines:
        engine = load_engine(folder)
        model = onnx.load(folder / "onnx" / "model.onnx")
        manifest = engine.manifest
        architecture = Architecture.from_json(manifest.architecture)
        found = weight_shapes(model.graph)
        wrong = unexplained(found, architecture, hidden, head_size, task.kind.num_labels)
        texts = [text if len(text) > 1 else text[0] for text in task.test.texts]
        logits = engine.predict(texts)
        reference = torch_logits(load_pruned(folder), task.test.encoded, inputs=engine.inputs)
        difference = float(np.abs(logits - reference).max())
        same = int((logits.argmax(1) == reference.argmax(1)).sum())
        params = count_params(model.graph)
        macs = count_macs(model, 1, _LENGTH)
        results[folder.name] = {
            "matrices": found,
            "not_of_the_architecture": [[*shape, count] for shape, count in wrong.items()],
            "params_in_file": params,
            "params_in_manifest": manifest.num_params,
            "macs_in_file": macs,
            "macs_in_manifest": manifest.macs,
            "largest_difference": difference,
            "same_labels": same,
        }
        rows.append(
            [
                folder.name,
                str(not wrong),
                f"{params == manifest.num_params} ({params:,})",
                f"{macs == manifest.macs} ({macs:,})",
                f"{difference:.1e}",
                str(same),
                str(len(texts)),
            ]
        )
    notes = "ONNX Runtime from text, by the folder's own tokenizer, against PyTorch on the test split."
    write_results(Path(__file__).parent, "engines", results, rows, notes)


if __name__ == "__main__":
    main()
