"""The model card of an engine folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compresskit.architecture import Architecture
from compresskit.bundle.manifest import Manifest
from compresskit.engine.loading import loading
from compresskit.families import family_for
from compresskit.runs.records import profile_title
from compresskit.supernet.embedder import width_of


def model_card(manifest: Manifest, config: Any, size_bytes: int) -> str:
    """README.md: what the engine is, what was measured, what was pruned, how to load it."""
    lineage = manifest.lineage
    name = lineage.get("model", "a dense model")
    return "\n".join(
        [
            "---",
            "library_name: onnx",
            f"pipeline_tag: {manifest.kind.hub_task}",
            f"base_model: {name}",
            "tags: [compresskit, pruned, onnxruntime]",
            "---",
            "",
            f"# {config.model_type} for {manifest.kind.hub_task}, pruned from {name}",
            "",
            *_facts(manifest, config, size_bytes),
            "",
            "## What was pruned",
            "",
            *_layers(manifest),
            "",
            "## Load it",
            "",
            *loading(manifest, transformers_own=not family_for(config.model_type).module),
            "",
        ]
    )


def _facts(manifest: Manifest, config: Any, size_bytes: int) -> list[str]:
    lineage = manifest.lineage
    where = profile_title(lineage.get("profile"))
    rows = [
        (f"test {manifest.metric_name}, by ONNX Runtime", describe_test(manifest.test_metric, manifest.test)),
        *(
            (f"{name}, {said['metric_name']}", describe_test(said["metric"], said))
            for name, said in manifest.judges.items()
        ),
        ("precision", _precision(manifest)),
        ("parameters", f"{manifest.num_params:,}"),
        ("multiply-accumulates", f"{manifest.macs:,}"),
        ("file size", f"{size_bytes / 1e6:.1f} MB"),
        ("graph variant", manifest.variant),
    ]
    if (width := width_of(config)) != config.hidden_size:
        rows.append(("numbers in a vector", f"{width}, of {config.hidden_size}"))
    rows += _runtime(manifest)
    if manifest.blocks:
        count, rate = len(manifest.blocks["matrices"]), manifest.blocks["rate"]
        rows.append(("matrices in blocks", f"{count}, with {rate:.2f} times fewer weights"))
    rows += [("made for profile", where)] if where else []
    rows += _latencies(manifest)
    rows += [("processor", str(manifest.device["cpu"]))] if manifest.device.get("cpu") else []
    rows += [("data set", str(lineage["dataset"]))] if "dataset" in lineage else []
    return ["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows)]


def _runtime(manifest: Manifest) -> list[tuple[str, str]]:
    """The oldest ONNX Runtime in which graphs of this kind were proven, and whether others can read it."""
    runtime = manifest.runtime
    if not runtime:
        return []
    others = f" and of {', '.join(runtime['other_domains'])}" if runtime["other_domains"] else " alone"
    return [
        ("ONNX Runtime", f"{runtime['onnxruntime']} or later"),
        ("operators", f"ONNX's own (opset {runtime['opset']}, IR {runtime['ir_version']}){others}"),
    ]


def describe_test(metric: float | None, known: Mapping[str, Any]) -> str:
    """A test metric with its rows and interval, and the paired difference to the dense model's.

    `known`: as `Manifest.test`.
    """
    if metric is None:
        return "not measured"
    text = f"{metric:.4f}"
    if "metric_ci" in known:
        low, high = known["metric_ci"]
        text += f" (95 % interval {low:.4f} to {high:.4f}, {known['rows']:,} rows)"
    if "difference_ci" in known:
        low, high = known["difference_ci"]
        difference = metric - known["dense_metric"]
        text += (
            f"; dense model {known['dense_metric']:.4f}, difference {difference:+.4f} "
            f"(paired 95 % interval {low:+.4f} to {high:+.4f})"
        )
    elif "dense_metric" in known:
        text += f"; dense model {known['dense_metric']:.4f}"
    return text


def _precision(manifest: Manifest) -> str:
    parts = [manifest.precision]
    if manifest.float_layers:
        parts.append(f"in float: {', '.join(manifest.float_layers)}")
    if manifest.embeddings != "fp32":
        parts.append(f"embeddings {manifest.embeddings}")
    if manifest.vocabulary:
        parts.append(f"{manifest.vocabulary['tokens']:,} of {manifest.vocabulary['of']:,} tokens")
    return "; ".join(parts)


def _latencies(manifest: Manifest) -> list[tuple[str, str]]:
    """What the search measured of this point and of dense fp32, else what the export measured."""
    lineage = manifest.lineage
    found = lineage if "latency_ms" in lineage else manifest.variant_check
    rows = []
    if "latency_ms" in found:
        low, high = found["latency_ci_ms"]
        own = f"{found['latency_ms']:.3f} ms ({low:.3f} to {high:.3f})"
        rows.append(("latency, median and 95 % interval", own))
    if "dense_latency_ms" in lineage:
        rows.append(("latency of the dense model in fp32", f"{lineage['dense_latency_ms']:.3f} ms"))
    if "speedup" in lineage:
        low, high = lineage["speedup_ci"]
        rows.append(
            ("speed-up, side by side", f"{lineage['speedup']:.2f} (95 % interval {low:.2f} to {high:.2f})")
        )
    elif "latency_ms" in lineage and "dense_latency_ms" in lineage:
        rows.append(("speed-up", f"{lineage['dense_latency_ms'] / lineage['latency_ms']:.2f}"))
    if lineage.get("latency_marks"):
        rows.append(("latency not to be trusted", "; ".join(lineage["latency_marks"])))
    return rows


def _layers(manifest: Manifest) -> list[str]:
    architecture = Architecture.from_json(manifest.architecture)
    lines = ["| layer | heads kept | units kept |", "|---|---|---|"]
    for number, layer in enumerate(architecture.layers):
        heads = f"{layer.heads.count} of {layer.heads.total}"
        units = f"{layer.units.count} of {layer.units.total}"
        kept = "dropped | dropped" if layer.is_dropped else f"{heads} | {units}"
        lines.append(f"| {number} | {kept} |")
    return lines
