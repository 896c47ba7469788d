"""A ModernBERT of base size with random weights: its graphs against PyTorch, and their latency."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import ModernBertConfig, ModernBertForSequenceClassification

from benchmarks.engine.efficiency import compared_with_dense
from benchmarks.engine.models import Family
from benchmarks.modernbert.parity import Parity, parity
from benchmarks.results import write_results
from compresskit.architecture import Architecture, Layer
from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.kept import Kept
from compresskit.supernet.surgery import blueprint_of

SECONDS = 4.0  # of measuring an engine
LABELS = 6
PROVEN = ("dense", "without layer 0", "uneven")  # against PyTorch: minutes each
# Name of a network -> layers that stay, and the shares of their heads and units.
NETS = {
    "two thirds of the layers": (range(0, 22, 3), range(1, 22, 3)),
    "half of the layers": (range(0, 22, 2),),
    "without layer 0": (range(1, 22),),
    "local layers alone": ([layer for layer in range(22) if layer % 3],),
    "global layers alone": (range(0, 22, 3),),
}
WIDTHS = {"half of heads and units": 0.5, "a quarter of heads and units": 0.25}


def drawn_model() -> Any:
    """ModernBERT-base as published (22 layers of 768, a window of 128 tokens), with random weights."""
    torch.manual_seed(0)
    config = ModernBertConfig(num_labels=LABELS)
    return ModernBertForSequenceClassification(config).eval()


def networks(slicer: GraphSlicer) -> dict[str, Architecture]:
    """By name: dropped layers, narrower ones, and both."""
    dims = slicer.blueprint.dims
    found = {}
    for name, parts in NETS.items():
        layers = sorted(layer for part in parts for layer in part)
        found[name] = Architecture.uniform(dims, layers, dims.num_heads, dims.num_units)
    for name, share in WIDTHS.items():
        heads, units = round(dims.num_heads * share), round(dims.num_units * share / 32) * 32
        found[name] = Architecture.uniform(dims, range(dims.num_layers), heads, units)
    uneven = [
        Layer(Kept.first(dims.num_heads, 2 + layer % 5), Kept.first(dims.num_units, 96 + 64 * (layer % 7)))
        if layer % 4 != 3
        else Layer(Kept.first(dims.num_heads, 0), Kept.first(dims.num_units, 0))
        for layer in range(dims.num_layers)
    ]
    return {**found, "uneven": Architecture(tuple(uneven))}


def base(work: Path, results: Path) -> None:
    """Write base.json and base.md."""
    model = drawn_model()
    blueprint = blueprint_of(model)
    slicer = GraphSlicer(export_onnx(model), blueprint)
    family = Family("ModernBERT-base", model, slicer, networks(slicer), work / "base")
    measured = compared_with_dense(family, work, SECONDS)
    table = [["network", "parameters, M", "MACs, share", "ms", "speed-up", "95 %"]]
    table[0] += ["sliced against PyTorch", "exported again against PyTorch"]
    rows: dict[str, Any] = {}
    for net, architecture in {"dense": slicer.full, **family.nets}.items():
        figures = measured["nets"].get(net)
        params = blueprint.num_params(architecture)
        rows[net] = {"num_params": params, "signature": architecture.signature}
        speed = ["1", "1", ""]
        if figures is not None:
            speed = [f"{figures['share']:.3f}", f"{figures['speedup']:.2f}"]
            speed += ["{:.2f} to {:.2f}".format(*figures["ci"])]
        latency = measured["milliseconds"][net]
        cells = [net, f"{params / 1e6:.1f}", speed[0], f"{latency:.1f}", *speed[1:], "", ""]
        if net in PROVEN:
            found = _proven(net, model, slicer, architecture, work)
            cells[-2:] = f"{found.sliced:.1e}", f"{found.exported:.1e}"
            rows[net] |= {"parity": asdict(found)}
        table.append(cells)
    notes = (
        "ModernBERT-base (22 layers of 768, 149 M parameters, a window of 128 tokens) with random weights, "
        f"one thread, one text of 128 tokens, graph form `{measured['variant']}`. The last two columns: "
        "largest difference of logits at 1, 3 and 8 rows of 5 to 600 tokens, padded and not; logits reach "
        f"{max(rows[net]['parity']['largest_logit'] for net in PROVEN):.1f}."
    )
    write_results(results, "base", {**measured, "parity": rows}, table, notes)


def _proven(net: str, model: Any, slicer: GraphSlicer, architecture: Architecture, work: Path) -> Parity:
    """`parity`, kept in `work`."""
    path = work / "base" / net / "parity.json"
    if not path.exists():
        print(f"{net} against PyTorch", file=sys.stderr, flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(parity(model, slicer, architecture))))
    found = Parity(**json.loads(path.read_text()))
    assert found.holds, f"{net}: {found}"
    return found
