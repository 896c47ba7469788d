"""What the feed-forward products take inside a whole graph, by ONNX Runtime's own profile."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto

_MODULES = {"up": ".intermediate.dense", "down": ".output.dense"}
_PARTS = ("MatMul", "Gather", "Slice", "Concat", "FusedMatMul", "Gemm")
_PROFILE_RUNS = 30


def inside_ms(graph: ModelProto) -> dict[str, float]:
    """Milliseconds of the up- and down-projections of all layers in a run of the whole graph: median."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        options.log_severity_level = 3
        for name, size in (("batch", 1), ("length", 128)):
            options.add_free_dimension_override_by_name(name, size)
        session = onnxruntime.InferenceSession(
            graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        feed = {item.name: np.ones((1, 128), dtype=np.int64) for item in session.get_inputs()}
        feed["input_ids"] = np.random.default_rng(0).integers(1000, 30000, (1, 128))
        for _ in range(_PROFILE_RUNS):
            session.run(None, feed)
        events = json.loads(Path(session.end_profiling()).read_text())
    return {group: _median_of_runs(events, module) for group, module in _MODULES.items()}


def _median_of_runs(events: list[dict[str, Any]], module: str) -> float:
    """Of the products whose node is in `module`, summed over one run; warm-up runs are left out."""
    spans = [
        (event["ts"], event["ts"] + event["dur"])
        for event in events
        if event.get("cat") == "Session" and event["name"] == "model_run"
    ]
    runs = [0.0] * len(spans)
    for event in events:
        name = event["name"].removesuffix("_kernel_time")
        owner = name.partition("/")[0]
        if event.get("cat") != "Node" or name == event["name"] or event["args"]["op_name"] not in _PARTS:
            continue
        if not owner.endswith(module) or ".attention." in owner:
            continue
        for number, (start, end) in enumerate(spans):
            if start <= event["ts"] < end:
                runs[number] += event["dur"] / 1e3
    return median(runs[len(runs) // 3 :])
