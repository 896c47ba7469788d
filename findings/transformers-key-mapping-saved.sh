#!/bin/bash
# transformers 5.23.0: a model that was loaded with key_mapping is saved under the names that were mapped away.
#
# A good guess: weights whose names begin with "module." (of DistributedDataParallel) are loaded with
# `from_pretrained(folder, key_mapping={r"^module\.": ""})`; the model's own names have no prefix, so what
# `save_pretrained` writes is an ordinary checkpoint.
# What happens: `save_pretrained` reverses the mapping. The file has the prefix again, and a plain
# `from_pretrained` of it draws every weight at random; it warns, but does not fail, and a program that keeps
# transformers' log quiet learns nothing. `save_original_format=False` writes the model's own names.
#
# Source: `revert_weight_conversion` in transformers/core_model_loading.py; found by loading a wrapped checkpoint.
# Needs Python 3.10 or later as python3 (or PYTHON=...), and PyPI.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -q "transformers==5.23.0" "torch==2.13.0" "safetensors==0.8.0"

cat > "$work/check.py" <<'PY'
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

transformers.utils.logging.set_verbosity_error()
print("transformers", transformers.__version__)
config = BertConfig(vocab_size=50, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
model = BertModel(config)
model.save_pretrained("plain")
weights = {f"module.{name}": value for name, value in load_file("plain/model.safetensors").items()}
config.save_pretrained("wrapped")
save_file(weights, "wrapped/model.safetensors", metadata={"format": "pt"})


def same(other):
    table = "embeddings.word_embeddings.weight"
    return torch.equal(model.state_dict()[table], other.state_dict()[table])


mapped = BertModel.from_pretrained("wrapped", key_mapping={r"^module\.": ""})
assert same(mapped)
mapped.save_pretrained("again")
mapped.save_pretrained("own", save_original_format=False)
seen = {}
for folder in ("again", "own"):
    first = sorted(load_file(f"{folder}/model.safetensors"))[0]
    seen[folder] = (first.startswith("module."), same(BertModel.from_pretrained(folder)))
    print(f"{folder}: first name {first}; loaded plainly, the weights are the same: {seen[folder][1]}")
sys.exit(0 if seen == {"again": (True, False), "own": (False, True)} else 1)
PY
cd "$work" && HF_HUB_OFFLINE=1 venv/bin/python check.py
echo "as described"
