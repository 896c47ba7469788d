"""Ours against optimum-onnx's file, the plain export at each optimisation level, and the products alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks.engine.choice import all_choices, chosen_variant, profile_of
from benchmarks.engine.matmuls import products_of, write_products
from benchmarks.engine.models import Family, largest_difference
from benchmarks.results import write_results
from compresskit.engine.count import count_macs
from compresskit.target.base import OPTIMIZATION_LEVELS, SessionSettings
from compresskit.target.compare import compare
from compresskit.target.runner import EngineToMeasure

THREADS, LENGTHS = (1, 2), (32, 128)
OURS, OPTIMUM, PRODUCTS = "ours", "optimum-onnx", "products alone"
PLAIN = {level: f"plain export, {level}" for level in OPTIMIZATION_LEVELS}
Row = dict[str, Any]


def speed(
    families: Sequence[Family], work: Path, results: Path, seconds: float, threads: Sequence[int] = THREADS
) -> None:
    """Measure all rows (those of an earlier call are read), and write speed.json and speed.md."""
    rows = list(_rows(families, work, seconds, threads))
    found = summary(rows)
    table = [["net", "keeps", "threads", "tokens", "ours, ms", "against optimum-onnx", "against best level"]]
    table[0] += ["against plain default", "products alone, ms", "ours over products"]
    for row in rows:
        own = row["milliseconds"][OURS]
        alone = row["milliseconds"][PRODUCTS]
        cells = [row["net"], row["signature"], str(row["threads"]), str(row["length"]), f"{own:.3f}"]
        cells += [_ratio(row, name) for name in (OPTIMUM, best_level(row), PLAIN["all"])]
        table.append([*cells, f"{alone:.3f}", f"{own / alone:.2f}"])
    notes = (
        "How many times faster than other graphs of the same weights, with 95 % intervals; batch 1, each row "
        "one interleaved comparison. " + " ".join(f"{name}: {value:.3f}." for name, value in found.items())
    )
    conditions = rows[0]["conditions"]
    rows = [{key: item for key, item in row.items() if key != "conditions"} for row in rows]
    value = {"summary": found, "choices": all_choices(work), "conditions": conditions, "rows": rows}
    write_results(results, "speed", value, table, notes)


def _rows(families: Sequence[Family], work: Path, seconds: float, threads: Sequence[int]) -> Iterator[Row]:
    for family in families:
        for net in family.nets:
            for number in threads:
                for length in LENGTHS:
                    path = work / "rows" / f"{net}-{number}-{length}.json"
                    if not path.exists():
                        row = _measure(family, net, number, length, work, seconds)
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_text(json.dumps(row))
                    yield json.loads(path.read_text())


def _measure(family: Family, net: str, threads: int, length: int, work: Path, seconds: float) -> Row:
    print(f"{net}, {threads} threads, {length} tokens", file=sys.stderr, flush=True)
    profile = profile_of(threads, length, seconds)
    variant = chosen_variant(family, profile, work)
    ours = family.engine(net, variant)
    difference = largest_difference(family, net, variant)
    graph = onnx.load(str(ours))
    products = products_of(graph, length)
    macs = sum(product.macs for product in products)
    assert macs == count_macs(graph, 1, length), f"{net}: products of the graph were missed"
    alone = work / "products" / f"{net}-{length}.onnx"
    write_products(products, length, alone)
    found = compare(
        [
            EngineToMeasure(OURS, ours, variant.session),
            EngineToMeasure(OPTIMUM, family.optimum(net)),
            *(
                EngineToMeasure(name, family.plain(net), SessionSettings(optimization_level=level))
                for level, name in PLAIN.items()
            ),
            EngineToMeasure(PRODUCTS, alone),
        ],
        profile,
        OURS,
    )
    alone.unlink()
    return {
        "model": family.name,
        "net": net,
        "signature": family.nets[net].signature,
        "threads": threads,
        "length": length,
        "variant": variant.name,
        "session": variant.session.to_json(),
        "largest_difference": difference,
        "macs": macs,
        "milliseconds": {item.name: item.median_ms for item in found.measurements},
        "samples": {item.name: len(item.samples_ms) for item in found.measurements},
        # The other's median over ours: above 1 where ours is faster.
        "faster": {ratio.engine: 1 / ratio.speedup for ratio in found.ratios},
        "intervals": {ratio.engine: [1 / ratio.ci[1], 1 / ratio.ci[0]] for ratio in found.ratios},
        "warnings": list(found.warnings),
        "conditions": found.conditions,
    }


def best_level(row: Row) -> str:
    """The optimisation level at which the plain export was fastest."""
    return min(PLAIN.values(), key=lambda name: row["milliseconds"][name])


def summary(rows: Sequence[Row]) -> dict[str, float]:
    """What the rows say together: geometric means, and the worst of them."""

    def mean(values: Sequence[float]) -> float:
        return float(np.exp(np.mean(np.log(values))))

    against = [row["faster"][OPTIMUM] for row in rows]
    best = [row["faster"][best_level(row)] for row in rows]
    plain = [row["faster"][PLAIN["all"]] for row in rows]
    over = [
        row["milliseconds"][OURS] / row["milliseconds"][PRODUCTS]
        for row in rows
        if row["length"] == max(LENGTHS)
    ]
    return {
        "geometric mean against optimum-onnx": mean(against),
        "slowest against optimum-onnx": min(against),
        "slowest against the best optimisation level": min(best),
        "geometric mean against the plain export under defaults": mean(plain),
        f"geometric mean over the products alone at {max(LENGTHS)} tokens": mean(over),
        f"most over the products alone at {max(LENGTHS)} tokens": max(over),
    }


def _ratio(row: Row, name: str) -> str:
    low, high = row["intervals"][name]
    return f"{row['faster'][name]:.3f} ({low:.3f} to {high:.3f})"
