"""BERT-base of random weights, both feed-forward matrices in blocks: how fast, and how many bytes.

About 10 minutes on one core: the products alone in every partition, then dense engine and blocked
engines in turn, and the products inside them as ONNX Runtime's own profile sees them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from onnx import ModelProto
from transformers import BertConfig, BertForSequenceClassification

from benchmarks.block.inside import inside_ms
from benchmarks.results import write_results
from compresskit.blocks import INDEX_BYTES, INPUTS, OUTPUTS, BlockPlan, Partition
from compresskit.engine.block import compact_graph, stored_blocks
from compresskit.engine.block_choice import BlockChooser, random_matrix
from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.engine.score import logits_of
from compresskit.engine.variants import Variant, choose_variant, sample_rows
from compresskit.engine.verify import torch_logits
from compresskit.pipeline.evaluation.latency import time_of
from compresskit.pruning.block.linear import compact
from compresskit.pruning.block.matrices import GroupSetting
from compresskit.pruning.block.stages import prune
from compresskit.pruning.extract import extract
from compresskit.supernet.surgery import blueprint_of
from compresskit.target.base import LatencyTarget
from compresskit.target.open import open_target
from compresskit.target.profile import load_profile

PARTITIONS = [Partition(axis, blocks) for axis in (OUTPUTS, INPUTS) for blocks in (1, 2, 4, 8)]
RATE = 5.0


@dataclass(frozen=True)
class Engine:
    """A graph of the benchmark; `plan` is None for the dense one."""

    name: str
    graph: ModelProto
    plan: BlockPlan | None


def run(output: Path, *, quick: bool, say: Callable[[str], None]) -> None:
    """Measure on `cpu-1-thread` and write latency.json and latency.md into `output`."""
    profile = load_profile("cpu-1-thread")
    if quick:
        profile = profile.with_(max_seconds=0.5, min_runs=5, interval_precision=0.2)
    torch.manual_seed(0)
    config = BertConfig(num_hidden_layers=2 if quick else 12)
    model = BertForSequenceClassification(config).eval()
    slicer = GraphSlicer(export_onnx(model), blueprint_of(model))
    shapes = {
        "up": (config.intermediate_size, config.hidden_size),
        "down": (config.hidden_size, config.intermediate_size),
    }
    with open_target(profile) as target:
        plain = slicer.slice(slicer.full)
        variant = choose_variant(time_of(target), plain)
        say(f"dense engine: variant {variant.name}")
        chooser = BlockChooser(lambda graph: target.measure(graph).corrected_median_ms)
        alone = products_alone(chooser, shapes, say)
        best = {
            group: max(
                (row for row in alone[group] if row["partition"].num_blocks > 1),
                key=lambda row: float(row["speedup"]),
            )["partition"]
            for group in shapes
        }
        engines = [Engine("dense", variant.apply(slicer.slice(slicer.full)), None)]
        parity = {}
        for groups in (("up",), ("up", "down")):
            engine, difference = blocked(model, slicer, variant, {g: best[g] for g in groups})
            engines.append(engine)
            parity[engine.name] = difference
            say(f"{engine.name}: masked PyTorch, compacted PyTorch and ONNX differ by {difference:.1e}")
        whole = measure_in_turn(target, engines, variant, rounds=1 if quick else 3)
        inside = {engine.name: inside_ms(engine.graph) for engine in engines}
    results, table = summary(engines, whole, inside, parity)
    results["products_alone"] = {
        group: [{**row, "partition": name_of(row["partition"])} for row in rows]
        for group, rows in alone.items()
    }
    results["variant"] = variant.name
    results["profile"] = profile.to_json()
    write_results(
        output,
        "latency_quick" if quick else "latency",
        results,
        table,
        "BERT-base of random weights, one text of 128 tokens on one CPU thread, fp32; blocked matrices keep "
        "a fifth of their weights. Whole engine: corrected median of runs in turn. Products: the sum over "
        "all layers of what ONNX Runtime's profile says of a product and of the Gather, Slice and Concat "
        "around it. Best partitions: "
        + ", ".join(f"{group} {name_of(partition)}" for group, partition in best.items())
        + ".",
    )


def name_of(partition: Partition) -> str:
    return f"{partition.num_blocks} along {partition.axis}"


def products_alone(
    chooser: BlockChooser, shapes: dict[str, tuple[int, int]], say: Callable[[str], None]
) -> dict[str, list[dict[str, Any]]]:
    """Speed-up of every partition over the dense product; one block is plain structured pruning."""
    found: dict[str, list[dict[str, Any]]] = {}
    for group, shape in shapes.items():
        rows = []
        for partition in PARTITIONS:
            # Units may be put in order, hidden dimensions not.
            sort = (partition.axis == INPUTS) == (group == "up")
            matrix = random_matrix(shape, partition, RATE, sort_members=sort)
            milliseconds = chooser.block_ms(matrix)
            speedup = chooser.dense_ms(shape) / milliseconds
            rows.append({"partition": partition, "ms": milliseconds, "speedup": speedup})
            say(f"{group} {name_of(partition)}: {milliseconds:.3f} ms, {speedup:.2f} times")
        found[group] = rows
    return found


def blocked(
    model: torch.nn.Module, slicer: GraphSlicer, variant: Variant, partitions: dict[str, Partition]
) -> tuple[Engine, float]:
    """The engine with these groups in blocks, and the largest difference of three ways to compute it."""
    masked = BertForSequenceClassification(model.config).eval()
    masked.load_state_dict(model.state_dict())
    pruned = prune(masked, {group: GroupSetting(cut, RATE) for group, cut in partitions.items()})
    plan = pruned.plan()
    plain = GraphSlicer(export_onnx(masked), slicer.blueprint).slice(pruned.architecture)
    rows = sample_rows(plain)
    graph = compact_graph(variant.apply(plain), plan)
    logits = torch_logits(masked, rows)
    others = (
        torch_logits(compact(extract(masked, pruned.architecture), plan), rows),
        logits_of(graph, rows, variant.session),
    )
    difference = max(float(np.abs(logits - other).max()) for other in others)
    return Engine(" and ".join(partitions) + " in blocks", graph, plan), difference


def measure_in_turn(
    target: LatencyTarget, engines: list[Engine], variant: Variant, rounds: int
) -> dict[str, list[float]]:
    """Corrected medians in milliseconds, one a round."""
    found: dict[str, list[float]] = {engine.name: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:
            measured = target.measure(engine.graph, session=variant.session)
            found[engine.name].append(measured.corrected_median_ms)
    return found


def dense_weights(graph: ModelProto, plan: BlockPlan) -> int:
    """Elements that the matrices of `plan` have in the dense `graph`."""
    sizes = {item.name: prod(item.dims) for item in graph.graph.initializer}
    return sum(sizes[f"{name}.weight"] for name, _ in plan.items())


def summary(
    engines: list[Engine],
    whole: dict[str, list[float]],
    inside: dict[str, dict[str, float]],
    parity: dict[str, float],
) -> tuple[dict[str, Any], list[list[str]]]:
    table = [
        [
            "engine",
            "ms",
            "against dense",
            "up, ms",
            "against dense",
            "down, ms",
            "against dense",
            "weights of blocked matrices, of dense",
            "parameters beyond the rate",
            "index bytes",
            "largest difference",
        ]
    ]
    results: dict[str, Any] = {"engines": {}}
    dense = engines[0].name
    for engine in engines:
        latency, base = median(whole[engine.name]), median(whole[dense])
        parts = inside[engine.name]
        row = [engine.name, f"{latency:.2f}", f"{base / latency:.2f}"]
        for group in ("up", "down"):
            row += [f"{parts[group]:.2f}", f"{inside[dense][group] / parts[group]:.2f}"]
        entry: dict[str, Any] = {
            "latency_ms": latency,
            "rounds_ms": whole[engine.name],
            "speedup": base / latency,
            "inside_ms": parts,
            "size_bytes": engine.graph.ByteSize(),
        }
        if engine.plan is None:
            row += ["", "", "", ""]
        else:
            stored = stored_blocks(engine.graph, engine.plan)
            dense_params = dense_weights(engines[0].graph, engine.plan)
            wanted = dense_params / RATE
            entry |= {
                "rate_asked": RATE,
                "dense_params": dense_params,
                "stored_params": stored.num_params,
                "stored_bytes": 4 * stored.num_params,
                "index_bytes": stored.index_bytes,
                "largest_difference": parity[engine.name],
            }
            row += [
                f"{stored.num_params / dense_params:.4f}",
                f"{stored.num_params / wanted - 1:+.2%}",
                f"{stored.index_bytes:,}",
                f"{parity[engine.name]:.1e}",
            ]
        results["engines"][engine.name] = entry
        table.append(row)
    results["bytes_of_an_index"] = INDEX_BYTES
    return results, table
