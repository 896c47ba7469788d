#!/bin/bash
# transformers 5.23.0: of a config.json with one label map, the other is None or is lost.
#
# A good guess: id2label and label2id say the same thing, so a config.json with one of them gives both, as
# `num_labels` gives both.
# What happens: with id2label alone, `config.label2id` is None (code that looks a label up fails on None). With
# label2id alone, its names are dropped without a word: both maps become LABEL_0, LABEL_1. With two maps that
# contradict each other both are kept, and a pipeline names its answers by the one, training by the other.
#
# Source: PreTrainedConfig in transformers/configuration_utils.py; found by opening hand-written checkpoints.
# Needs Python 3.10 or later as python3 (or PYTHON=...), and PyPI. No torch.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -q "transformers==5.23.0"

cat > "$work/check.py" <<'PY'
import json
import pathlib
import sys

import transformers
from transformers import AutoConfig

print("transformers", transformers.__version__)
by_id, by_name = {"0": "no", "1": "yes"}, {"no": 0, "yes": 1}
cases = {
    "id2label alone": ({"id2label": by_id}, ({0: "no", 1: "yes"}, None)),
    "label2id alone": ({"label2id": by_name}, ({0: "LABEL_0", 1: "LABEL_1"}, {"LABEL_0": 0, "LABEL_1": 1})),
    "contradicting": (
        {"id2label": by_id, "label2id": {"yes": 0, "no": 1}},
        ({0: "no", 1: "yes"}, {"yes": 0, "no": 1}),
    ),
}
right = True
for name, (maps, described) in cases.items():
    folder = pathlib.Path(name)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", **maps}))
    config = AutoConfig.from_pretrained(folder)
    print(f"{name}: id2label {config.id2label}, label2id {config.label2id}")
    right &= (config.id2label, config.label2id) == described
sys.exit(0 if right else 1)
PY
cd "$work" && HF_HUB_OFFLINE=1 venv/bin/python check.py
echo "as described"
