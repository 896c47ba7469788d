"""optimum-onnx's export of pruned BERT weights, run in its own environment.

    python optimum_export.py FOLDER ...

A folder holds config.json and model.safetensors; Linear layers are cut to the sizes of their weights.
The graph is written to FOLDER/optimum/model.onnx.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from optimum.exporters.onnx import onnx_export_from_model
from safetensors.torch import load_file
from torch import nn
from transformers import BertConfig, BertForSequenceClassification


def load(folder: Path) -> Any:
    model = BertForSequenceClassification(BertConfig.from_pretrained(folder)).eval()
    weights = load_file(folder / "model.safetensors")
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            size = weights[f"{name}.weight"].shape
            module.out_features, module.in_features = size
            module.weight = nn.Parameter(torch.empty(size))
            module.bias = nn.Parameter(torch.empty(size[0]))
    for layer in model.bert.encoder.layer:
        attention = layer.attention.self
        attention.all_head_size = attention.query.out_features
        attention.num_attention_heads = attention.all_head_size // attention.attention_head_size
    model.load_state_dict(weights)
    return model


for argument in sys.argv[1:]:
    output = Path(argument) / "optimum"
    if not (output / "model.onnx").exists():
        print(f"optimum-onnx exports {Path(argument).name}", file=sys.stderr, flush=True)
        onnx_export_from_model(load(Path(argument)), output, task="text-classification")
