"""Engines of every form and precision, and what PyTorch and the present ONNX Runtime answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, BertConfig

from compresskit.architecture import Architecture, Layer
from compresskit.bundle.loader import load_engine
from compresskit.bundle.manifest import Manifest
from compresskit.data.demo_text import build_demo_tokenizer
from compresskit.engine.count import count_macs, count_params
from compresskit.engine.export import export_onnx
from compresskit.engine.folder import write_engine
from compresskit.engine.precision import ENGINE_PRECISIONS
from compresskit.engine.variants import VARIANTS
from compresskit.engine.verify import torch_logits
from compresskit.kept import Kept
from compresskit.pipeline.exporting.graph_builder import GraphBuilder
from compresskit.pruning.extract import extract
from compresskit.supernet.surgery import blueprint_of

EXPECTED = "expected.json"
WORDS = [f"w{i}" for i in range(200)]
TEXTS = [" ".join(WORDS[start : start + size]) for start, size in ((0, 7), (20, 1), (40, 30), (90, 12))]
LENGTH = 40


@dataclass(frozen=True)
class Shape:
    """Sizes of a BERT with random weights, and the heads and units that its layers keep."""

    hidden: int
    heads: int
    units: int
    kept: tuple[tuple[tuple[int, ...], int], ...]
    spread: float  # of the weights: wide enough for attention to matter

    def model(self) -> nn.Module:
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(WORDS) + 5,
            hidden_size=self.hidden,
            num_hidden_layers=len(self.kept),
            num_attention_heads=self.heads,
            intermediate_size=self.units,
            max_position_embeddings=LENGTH,
            num_labels=3,
        )
        model: nn.Module = AutoModelForSequenceClassification.from_config(config)
        with torch.no_grad():
            for name, value in model.named_parameters():
                value.normal_(0, self.spread)
                if "LayerNorm.weight" in name:
                    value.add_(1)
        return model.eval()

    def architecture(self) -> Architecture:
        return Architecture(
            tuple(
                Layer(Kept.of(self.heads, heads), Kept.of(self.units, range(units)))
                for heads, units in self.kept
            )
        )


SHAPES = {
    "small": Shape(32, 4, 48, (((1, 3), 12), ((), 0), ((0, 1, 2), 33)), 0.2),
    # Width, heads and units of MiniLM.
    "MiniLM": Shape(384, 12, 1536, ((tuple(range(12)), 1536), ((0, 4, 7), 100)), 0.06),
}


def make_engines(folder: Path, shapes: tuple[str, ...] = tuple(SHAPES)) -> list[str]:
    """Write an engine for each shape, form and precision below `folder`; returns their names."""
    return [name for shape in shapes for name in _engines(folder, shape)]


def name_of(shape: str, form: str, precision: str) -> str:
    return f"{shape},{form},{precision}"


def _engines(folder: Path, shape: str) -> Iterator[str]:
    model, architecture = SHAPES[shape].model(), SHAPES[shape].architecture()
    pruned = extract(model, architecture).eval()
    assert blueprint_of(model).dims.num_layers == len(architecture.layers)
    plain = export_onnx(pruned)
    tokenizer = build_demo_tokenizer(WORDS)
    rows = [{"input_ids": tokenizer(text)["input_ids"]} for text in TEXTS]
    builder = GraphBuilder(plain, lambda _: VARIANTS[0], rows)
    wanted = torch_logits(pruned, rows)
    for variant in VARIANTS:
        for precision in ENGINE_PRECISIONS:
            made = builder.make(precision, variant)
            name = name_of(shape, variant.name, precision)
            manifest = Manifest(
                architecture=architecture.to_json(),
                signature=architecture.signature,
                precision=precision,
                metric_name="accuracy",
                test_metric=None,
                num_params=count_params(plain),
                macs=count_macs(plain, 1, LENGTH),
                variant=variant.name,
                labels=["a", "b", "c"],
                max_length=LENGTH,
            )
            target = folder / name
            write_engine(target, graph=made.graph, model=pruned, reader=tokenizer, manifest=manifest)
            # Old environments need no PyTorch weights, and a hundred copies of them fill a disk.
            _without_weights(target)
            engine = load_engine(target, threads=1)
            expected: dict[str, Any] = {
                "texts": TEXTS,
                "pytorch": wanted.tolist(),
                "one": [engine.predict([text])[0].tolist() for text in TEXTS],
                "four": engine.predict(TEXTS).tolist(),
            }
            (folder / f"{name}.{EXPECTED}").write_text(json.dumps(expected))
            yield name


def _without_weights(engine: Path) -> None:
    (engine / "model.safetensors").unlink()
    path = engine / "compresskit.json"
    value = json.loads(path.read_text())
    del value["files"]["model.safetensors"]
    path.write_text(json.dumps(value))
