"""Where the time of an engine goes, by operator, from ONNX Runtime's own profile."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

from compresskit.target.base import SessionSettings
from compresskit.target.inputs import make_inputs
from compresskit.target.profile import Profile
from compresskit.target.session import make_session, session_spec

RUNS = 60
# Group -> operators, as they are named after ONNX Runtime's own fusions.
GROUPS = {
    "products": ("MatMul", "Gemm", "FusedMatMul", "FusedGemm"),
    "attention": ("Attention", "MultiHeadAttention"),
    "softmax": ("Softmax",),
    "norms": ("LayerNormalization", "SkipLayerNormalization", "EmbedLayerNormalization"),
    "gelu": ("Gelu", "BiasGelu", "FastGelu"),
    "sums": ("Add", "Sum", "Sub", "Mul"),
    "moves": ("Transpose", "Reshape", "Slice", "Split", "Gather", "Concat", "Expand", "Squeeze", "Unsqueeze"),
}
OTHER = "other"


def time_by_operator(model: Path, session: SessionSettings, profile: Profile) -> dict[str, float]:
    """Milliseconds a run by operator: the median of each node over 60 runs, summed."""
    spec = session_spec(model, profile, session)
    feed = make_inputs(spec.feeds)
    with tempfile.TemporaryDirectory() as folder:
        running = make_session(model, spec, profiling_prefix=str(Path(folder) / "nodes"))
        for _ in range(RUNS):
            running.run(None, feed)
        events = json.loads(Path(running.end_profiling()).read_text())
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            taken[event["args"]["op_name"], event["name"]].append(event["dur"] / 1e3)
    found: dict[str, float] = defaultdict(float)
    for (operator, _), values in taken.items():
        found[operator] += median(values)
    return dict(found)


def by_group(times: dict[str, float]) -> dict[str, float]:
    """The same in the groups of `GROUPS` and the rest."""
    group = {operator: name for name, operators in GROUPS.items() for operator in operators}
    found = dict.fromkeys([*GROUPS, OTHER], 0.0)
    for operator, taken_ms in times.items():
        found[group.get(operator, OTHER)] += taken_ms
    return found
