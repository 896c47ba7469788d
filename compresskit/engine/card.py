"""The model card of an engine folder."""

from __future__ import annotations

from typing import Any

from compresskit.architecture import Architecture
from compresskit.bundle.manifest import Manifest


def model_card(manifest: Manifest, config: Any, size_bytes: int) -> str:
    """README.md: what the engine is, what was measured, what was pruned, how to load it."""
    lineage = manifest.lineage
    name = lineage.get("model", "a dense model")
    return "\n".join(
        [
            "---",
            "library_name: onnx",
            "pipeline_tag: text-classification",
            f"base_model: {name}",
            "tags: [compresskit, pruned, onnxruntime]",
            "---",
            "",
            f"# {config.model_type} text classifier, pruned from {name}",
            "",
            *_facts(manifest, size_bytes),
            "",
            "## What was pruned",
            "",
            *_layers(manifest),
            "",
            "## Load it",
            "",
            *_loading(manifest),
            "",
        ]
    )


def _facts(manifest: Manifest, size_bytes: int) -> list[str]:
    lineage = manifest.lineage
    profile = lineage.get("profile")
    where = profile.get("name") if isinstance(profile, dict) else profile
    metric = "not measured" if manifest.test_metric is None else f"{manifest.test_metric:.4f}"
    rows = [
        (f"test {manifest.metric_name}, by ONNX Runtime", metric),
        ("precision", manifest.precision),
        ("parameters", f"{manifest.num_params:,}"),
        ("multiply-accumulates", f"{manifest.macs:,}"),
        ("file size", f"{size_bytes / 1e6:.1f} MB"),
        ("graph variant", manifest.variant),
    ]
    rows += [("made for profile", str(where))] if where else []
    rows += [
        (key.replace("_", " "), f"{lineage[key]:.3f}")
        for key in ("latency_ms", "dense_latency_ms")
        if isinstance(lineage.get(key), float)
    ]
    rows += [("data set", str(lineage["dataset"]))] if "dataset" in lineage else []
    return ["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows)]


def _layers(manifest: Manifest) -> list[str]:
    architecture = Architecture.from_json(manifest.architecture)
    lines = ["| layer | heads kept | units kept |", "|---|---|---|"]
    for number, layer in enumerate(architecture.layers):
        heads = f"{layer.heads.count} of {layer.heads.total}"
        units = f"{layer.units.count} of {layer.units.total}"
        kept = "dropped | dropped" if layer.is_dropped else f"{heads} | {units}"
        lines.append(f"| {number} | {kept} |")
    return lines


def _loading(manifest: Manifest) -> list[str]:
    settings = manifest.session
    special = any(settings.get(key) for key in ("disabled_optimizers", "options"))
    return [
        "With compresskit (onnxruntime and tokenizers, no PyTorch):",
        "",
        "```python",
        "from compresskit import load_engine",
        "",
        'engine = load_engine("FOLDER")',
        'logits = engine.predict(["some text"])',
        "```",
        "",
        "With optimum-onnx: `ORTModelForSequenceClassification.from_pretrained(FOLDER)`.",
        'With Transformers.js: `pipeline("text-classification", FOLDER, {dtype: "fp32"})`.',
        "With PyTorch: `compresskit.load_pruned(FOLDER)`.",
        "",
        "Plain onnxruntime loads `onnx/model.onnx`"
        + (f"; for the measured speed set {settings}." if special else " at the measured speed."),
    ]
