"""Pruned models as files: their weights, and the graphs that three exporters make of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn
from transformers import set_seed

from benchmarks.encoders import drawn_bert, plain_program, pretrained
from benchmarks.engine.architectures import BERT_BASE, MINILM
from benchmarks.engine.environments import python_of
from compresskit.architecture import Architecture
from compresskit.engine.export import export_onnx
from compresskit.engine.folder import save_weights
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.engine.score import logits_of
from compresskit.engine.variants import Variant, sample_rows
from compresskit.pruning.extract import extract
from compresskit.supernet.surgery import blueprint_of

# The same weights through three exporters, in float32.
TOLERANCE = 1e-3
MINILM_SIZES = {
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
}


@dataclass(frozen=True, eq=False)
class Family:
    """A dense model, the graph that candidates are cut from, and the architectures to measure."""

    name: str
    model: nn.Module
    slicer: GraphSlicer
    nets: Mapping[str, Architecture]
    folder: Path

    def weights(self, net: str) -> Path:
        """Folder of config.json and model.safetensors of a pruned model."""
        return self.folder / net

    def plain(self, net: str) -> Path:
        return self.folder / net / "plain.onnx"

    def optimum(self, net: str) -> Path:
        return self.folder / net / "optimum" / "model.onnx"

    def engine(self, net: str, variant: Variant) -> Path:
        """Our graph in a variant, written on first use; `dense` is the whole model."""
        path = self.folder / net / f"{variant.name}.onnx"
        if not path.exists():
            architecture = self.slicer.full if net == "dense" else self.nets[net]
            path.parent.mkdir(parents=True, exist_ok=True)
            graph = variant.apply(self.slicer.slice(architecture))
            path.write_bytes(graph.SerializeToString())
        return path


def families(work: Path, minilm: str | None, only: Collection[str]) -> list[Family]:
    """MiniLM-L6 (random weights of its size without a folder `minilm`) and BERT-base with random weights.

    `only` names the architectures to measure, all of them if it is empty.
    """
    found = []
    for name, counts in (("MiniLM-L6", MINILM), ("BERT-base", BERT_BASE)):
        wanted = {net: layers for net, layers in counts.items() if not only or net in only}
        if not wanted:
            continue
        if name == "BERT-base":
            model = drawn_bert()
        elif minilm is None:
            model = drawn_bert(**MINILM_SIZES)
        else:
            set_seed(0)
            model = pretrained(minilm)
        model.eval()
        blueprint = blueprint_of(model)
        nets = {net: Architecture.of_counts(blueprint.dims, layers) for net, layers in wanted.items()}
        slicer = GraphSlicer(export_onnx(model), blueprint)
        found.append(Family(name, model, slicer, nets, work / "models" / name))
    return found


def export_others(family: Family, work: Path) -> None:
    """The plain export and that of optimum-onnx for each architecture, checked against ours."""
    for net, architecture in family.nets.items():
        folder = family.weights(net)
        if not family.plain(net).exists():
            print(f"torch.onnx.export of {net}", file=sys.stderr, flush=True)
            folder.mkdir(parents=True, exist_ok=True)
            pruned: Any = extract(family.model, architecture).eval()
            pruned.config.save_pretrained(folder)
            save_weights(pruned, folder / "model.safetensors")
            plain_export(pruned, family.plain(net))
    missing = [str(family.weights(net)) for net in family.nets if not family.optimum(net).exists()]
    if missing:
        script = Path(__file__).with_name("optimum_export.py")
        python = python_of("optimum", work)
        subprocess.run([str(python), str(script), *missing], check=True, stdout=sys.stderr)


def plain_export(model: nn.Module, path: Path) -> None:
    """The plain export as one file, which is there when it is whole."""
    part = path.with_suffix(".part")
    plain_program(model).save(part, external_data=False)
    part.rename(path)


@cache
def largest_difference(family: Family, net: str, variant: Variant) -> float:
    """Of the logits of ours to those of both others; they have to compute the same."""
    rows = sample_rows(family.slicer.dense)
    ours = logits_of(family.engine(net, variant), rows, variant.session)
    found = max(
        float(np.abs(logits_of(path, rows) - ours).max()) for path in (family.plain(net), family.optimum(net))
    )
    assert found < TOLERANCE, f"{net}: graphs of the same weights differ by {found:.1e}"
    return found
