"""What MAC reductions are worth: speed-up over dense, dense having gone through the same choice."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx

from benchmarks.engine.choice import chosen_variant, profile_of
from benchmarks.engine.models import Family
from benchmarks.engine.operators import GROUPS, OTHER, by_group, time_by_operator
from benchmarks.results import write_results
from compresskit.architecture import Architecture
from compresskit.engine.count import count_macs
from compresskit.target.base import SessionSettings
from compresskit.target.compare import compare
from compresskit.target.runner import EngineToMeasure

THREADS, LENGTH = 1, 128
DENSE = "dense"
# The whole comparison of a model has this many times the seconds of a row: its ratios are all to one engine.
PATIENCE = 2


def efficiency(families: Sequence[Family], work: Path, results: Path, seconds: float) -> None:
    """Compare each model's nets with its dense engine; writes efficiency.json and .md."""
    table = [["net", "keeps", "MACs, share of dense", "speed-up over dense", "95 %", "efficiency"]]
    table[0] += ["MACs in the graph, share", "efficiency by these"]
    found: dict[str, Any] = {}
    for family in families:
        found[family.name] = measured = compared_with_dense(family, work, seconds)
        for net, row in measured["nets"].items():
            reduction, own_reduction = 1 / row["share"], 1 / row["graph_share"]
            row["efficiency"] = row["speedup"] / reduction
            row["graph_efficiency"] = row["speedup"] / own_reduction
            low, high = row["ci"]
            cells = [net, row["signature"], f"{row['share']:.3f}", f"{row['speedup']:.2f}"]
            cells += [f"{low:.2f} to {high:.2f}", f"{row['efficiency']:.2f}"]
            table.append([*cells, f"{row['graph_share']:.3f}", f"{row['graph_efficiency']:.2f}"])
    notes = (
        f"One thread, one text of {LENGTH} tokens. Efficiency is the speed-up over dense divided by the MAC "
        "reduction: of the architecture, and of the graph, which computes the first token alone "
        "behind the last attention."
    )
    write_results(results, "efficiency", found, table, notes)


def compared_with_dense(family: Family, work: Path, seconds: float) -> dict[str, Any]:
    """Milliseconds of each net and its speed-up over the dense engine; kept in `work`."""
    path = work / "rows" / f"efficiency-{family.name}-{'-'.join(family.nets)}.json"
    if path.exists():
        known: dict[str, Any] = json.loads(path.read_text())
        return known
    print(f"{family.name} against dense", file=sys.stderr, flush=True)
    profile = profile_of(THREADS, LENGTH, seconds * PATIENCE)
    variant = chosen_variant(family, profile_of(THREADS, LENGTH, seconds), work)
    files = {net: family.engine(net, variant) for net in (DENSE, *family.nets)}
    engines = [EngineToMeasure(net, file, variant.session) for net, file in files.items()]
    compared = compare(engines, profile, DENSE)
    macs = {net: count_macs(onnx.load(str(file)), 1, LENGTH) for net, file in files.items()}
    blueprint = family.slicer.blueprint

    def whole(architecture: Architecture) -> int:
        return blueprint.macs(architecture, LENGTH, 1)

    nets = {
        ratio.engine: {
            "signature": family.nets[ratio.engine].signature,
            "share": whole(family.nets[ratio.engine]) / whole(family.slicer.full),
            "graph_share": macs[ratio.engine] / macs[DENSE],
            "speedup": ratio.speedup,
            "ci": list(ratio.ci),
        }
        for ratio in compared.ratios
    }
    value = {
        "variant": variant.name,
        "milliseconds": {item.name: item.median_ms for item in compared.measurements},
        "nets": nets,
        "conditions": compared.conditions,
        "warnings": list(compared.warnings),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return value


def operators(families: Sequence[Family], work: Path, results: Path, seconds: float) -> None:
    """Profile each net's engine and the dense one; writes operators.json and .md."""
    table = [["net", "all, ms", *GROUPS, OTHER]]
    found: dict[str, Any] = {}
    profile = profile_of(THREADS, LENGTH, seconds)
    for family in families:
        variant = chosen_variant(family, profile, work)
        for net in (DENSE, *family.nets):
            times = time_by_operator(family.engine(net, variant), variant.session, profile)
            groups, whole = by_group(times), sum(times.values())
            name = f"{family.name}, {net}"
            found[name] = {"variant": variant.name, "milliseconds": times}
            shares = [f"{taken:.2f} ({100 * taken / whole:.0f} %)" for taken in groups.values()]
            table.append([name, f"{whole:.2f}", *shares])
    notes = (
        f"Milliseconds by kind of operator, one thread, one text of {LENGTH} tokens, by ONNX Runtime's "
        "profiler, which itself takes some of the time."
    )
    write_results(results, "operators", found, table, notes)


def plain_session(families: Sequence[Family], work: Path, results: Path, seconds: float) -> None:
    """The session that load_engine makes against InferenceSession(file) as it comes; dynamic shapes."""
    table = [["net", "variant", "load_engine's session, ms", "plain session, ms", "plain over load_engine"]]
    found: dict[str, Any] = {}
    for family in families:
        variant = chosen_variant(family, profile_of(THREADS, LENGTH, seconds), work)
        profile = profile_of(THREADS, LENGTH, seconds).with_(shapes="dynamic")
        special = variant.session != SessionSettings()
        # The same settings twice need no more than one net to show it.
        for net in family.nets if special else list(family.nets)[:1]:
            file = family.engine(net, variant)
            engines = [EngineToMeasure("set up", file, variant.session), EngineToMeasure("plain", file)]
            compared = compare(engines, profile, "set up")
            (ratio,) = compared.ratios
            own, plain = (item.median_ms for item in compared.measurements)
            slower, low, high = 1 / ratio.speedup, 1 / ratio.ci[1], 1 / ratio.ci[0]
            found[net] = {
                "variant": variant.name,
                "session": variant.session.to_json(),
                "milliseconds": [own, plain],
                "plain_over_load_engine": slower,
                "ci": [low, high],
                "warnings": list(compared.warnings),
            }
            cells = [net, variant.name, f"{own:.3f}", f"{plain:.3f}"]
            table.append([*cells, f"{slower:.3f} ({low:.3f} to {high:.3f})"])
    notes = "Above 1: the file alone is slower than compresskit.load_engine. One thread, dynamic shapes."
    write_results(results, "plain_session", found, table, notes)
