"""A graph and an engine folder that are made in an instant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from compresskit.bundle import Manifest
from compresskit.bundle.manifest import hash_files, write_manifest
from compresskit.target.profile import Profile
from tests.report.runs import HALF

QUICK = Profile("quick", length=8, interval_precision=0.5, min_runs=5, max_seconds=1.0, warmup_runs=1)


def write_graph(path: Path, *, width: int = 4, seed: int = 0) -> Path:
    """logits = mean of embedded tokens: input_ids (batch, length) int64 -> (batch, 2)."""
    rng = np.random.default_rng(seed)
    table, head = rng.normal(size=(50, width)), rng.normal(size=(width, 2))
    weights = [
        numpy_helper.from_array(table.astype(np.float32), "table"),
        numpy_helper.from_array(head.astype(np.float32), "head"),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
        helper.make_node("ReduceMean", ["tokens"], ["text"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["text", "head"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return path


def write_engine(folder: Path, **manifest: Any) -> Path:
    """An engine folder around the tiny graph; its tokenizer knows the words bad and good."""
    (folder / "onnx").mkdir(parents=True)
    write_graph(folder / "onnx" / "model.onnx")
    (folder / "config.json").write_text('{"model_type": "bert", "pad_token_id": 0}')
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "bad": 1, "good": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    fields: dict[str, Any] = {
        "architecture": HALF.to_json(),
        "signature": HALF.signature,
        "precision": "fp32",
        "metric_name": "accuracy",
        "test_metric": None,
        "num_params": 11,
        "macs": 22,
        "variant": "plain",
        "labels": ["bad", "good"],
        "lineage": {"profile": QUICK.to_json()},
        "files": hash_files(folder),
    }
    write_manifest(folder, Manifest(**{**fields, **manifest}))
    return folder
