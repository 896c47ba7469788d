"""Families at base size with random weights: parity with PyTorch, cutting, latency against torch's export.

    python -m benchmarks.families --work FOLDER [--family qwen3 ...]

What is made or measured is kept below --work, and a cut-off run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.engine.choice import chosen_variant, profile_of
from benchmarks.engine.efficiency import DENSE, LENGTH, THREADS, compared_with_dense
from benchmarks.engine.models import Family, plain_export
from benchmarks.families.models import MODELS, drawn, networks
from benchmarks.modernbert.parity import LENGTHS, ROWS, parity
from benchmarks.results import write_results
from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.pruning.extract import extract
from compresskit.supernet.surgery import blueprint_of
from compresskit.target.compare import compare
from compresskit.target.runner import EngineToMeasure

PROVEN, CUTS = "uneven", 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--family", action="append", choices=MODELS, help="all without it; may repeat")
    parser.add_argument("--seconds", type=float, default=3.0, help="of measuring an engine in a comparison")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    found = {name: _measured(name, options.work / name, options.seconds) for name in options.family or MODELS}
    write_results(options.results, "families", {"families": found}, _table(found), _notes(found))


def _measured(model_type: str, work: Path, seconds: float) -> dict[str, Any]:
    path = work / "figures.json"
    if path.exists():
        known: dict[str, Any] = json.loads(path.read_text())
        return known
    work.mkdir(parents=True, exist_ok=True)
    print(f"{model_type}: exporting", file=sys.stderr, flush=True)
    model = drawn(model_type)
    start = time.perf_counter()
    graph = export_onnx(model)
    export_seconds = time.perf_counter() - start
    slicer = GraphSlicer(graph, blueprint_of(model))
    nets = networks(slicer.blueprint.dims)
    family = Family(model_type, model, slicer, nets, work / "nets")
    start = time.perf_counter()
    for _ in range(CUTS):
        slicer.slice_light(nets[PROVEN])
    cut_seconds = (time.perf_counter() - start) / CUTS
    start = time.perf_counter()
    export_onnx(extract(model, nets[PROVEN]).eval())
    fresh_seconds = time.perf_counter() - start
    print(f"{model_type}: parity", file=sys.stderr, flush=True)
    found = parity(model, slicer, nets[PROVEN])
    assert found.holds, f"{model_type}: {found}"
    measured = compared_with_dense(family, work, seconds)
    value = {
        "num_params": slicer.blueprint.num_params(slicer.full),
        "export_seconds": export_seconds,
        "fresh_export_seconds": fresh_seconds,
        "cut_seconds": cut_seconds,
        "parity": asdict(found),
        "against_dense": measured,
        "against_torch": {net: _against_torch(family, net, work, seconds) for net in (DENSE, PROVEN)},
    }
    path.write_text(json.dumps(value))
    return value


def _against_torch(family: Family, net: str, work: Path, seconds: float) -> dict[str, Any]:
    """Our engine and torch.onnx.export's file of the same weights, one text."""
    plain = family.plain(net)
    if not plain.exists():
        plain.parent.mkdir(parents=True, exist_ok=True)
        architecture = family.slicer.full if net == DENSE else family.nets[net]
        plain_export(extract(family.model, architecture).eval(), plain)
    profile = profile_of(THREADS, LENGTH, seconds)
    variant = chosen_variant(family, profile, work)
    engines = [
        EngineToMeasure("ours", family.engine(net, variant), variant.session),
        EngineToMeasure("torch", plain),
    ]
    compared = compare(engines, profile, "torch")
    (ratio,) = compared.ratios
    return {
        "milliseconds": {item.name: item.median_ms for item in compared.measurements},
        "speedup": ratio.speedup,
        "ci": list(ratio.ci),
        "warnings": list(compared.warnings),
    }


def _table(found: dict[str, Any]) -> list[list[str]]:
    head = ["family", "net", "MACs, share", "ms", "speed-up over dense", "95 %", "of the MAC reduction"]
    table = [[*head, "against torch's file", "95 %", "logits differ by", "export / cut, s"]]
    for name, value in found.items():
        measured = value["against_dense"]
        for net in (DENSE, *measured["nets"]):
            row = measured["nets"].get(net)
            cells = [name, net, "1", f"{measured['milliseconds'][net]:.1f}", "1", "", ""]
            if row is not None:
                reduction = row["speedup"] * row["share"]
                cells[2] = f"{row['share']:.3f}"
                cells[4:] = [
                    f"{row['speedup']:.2f}",
                    "{:.2f} to {:.2f}".format(*row["ci"]),
                    f"{reduction:.2f}",
                ]
            other = value["against_torch"].get(net)
            cells += ["", ""] if other is None else _ratio(other)
            if net == PROVEN:
                worst = max(value["parity"]["sliced"], value["parity"]["exported"])
                times = f"{value['fresh_export_seconds']:.1f} / {value['cut_seconds']:.3f}"
                cells += [f"{worst:.1e}", times]
            else:
                cells += ["", ""]
            table.append(cells)
    return table


def _ratio(other: dict[str, Any]) -> list[str]:
    return [f"{other['speedup']:.2f}", "{:.2f} to {:.2f}".format(*other["ci"])]


def _notes(found: dict[str, Any]) -> str:
    sizes = ", ".join(f"{name} {value['num_params'] / 1e6:.0f} M" for name, value in found.items())
    return (
        f"Random weights, 12 layers: {sizes} parameters. One thread, one text of {LENGTH} tokens; each "
        "ratio is of one interleaved comparison. Torch's file is torch.onnx.export's of the same weights, "
        "right for one text alone where positions are rotations. Logits: the largest difference to PyTorch "
        f"of the graph that is cut and of the one exported again, at {', '.join(map(str, ROWS))} rows of "
        f"{LENGTHS[0]} to {LENGTHS[-1]} tokens, padded and not."
    )


if __name__ == "__main__":
    main()
