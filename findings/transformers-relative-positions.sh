#!/bin/bash
# transformers 5.23.0: a BERT with relative positions loads, and is computed without them.
#
# A good guess: a checkpoint with `position_embedding_type: relative_key`, which transformers 4 computes, either
# is computed alike by transformers 5 or is refused.
# What happens: the key is kept in the configuration and ignored. The distance embeddings are reported as
# unexpected weights, in a warning that reads like that for a head that is not needed, and the logits are those
# of absolute positions. So a checkpoint that was fine-tuned in version 4 is another model in version 5.
#
# Source: models/bert/modeling_bert.py of 4.57.1 (BertSelfAttention) and of 5.23.0; found by comparing logits.
# Needs Python 3.10 to 3.13 as python3 (or PYTHON=...), and PyPI.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"

cat > "$work/check.py" <<'PY'
import json
import pathlib
import sys

import torch
import transformers
from transformers import BertConfig, BertModel

transformers.utils.logging.set_verbosity_error()
step = sys.argv[1]
folder = pathlib.Path("relative")
ids = torch.arange(3, 15)[None]
if step == "make":  # by version 4
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        position_embedding_type="relative_key", initializer_range=0.5, attn_implementation="eager",
    )
    model = BertModel(config).eval()
    model.save_pretrained(folder)
    with torch.no_grad():
        torch.save(model(ids).last_hidden_state, "wanted.pt")
wanted = torch.load("wanted.pt")
model, info = BertModel.from_pretrained(folder, output_loading_info=True)
with torch.no_grad():
    found = model.eval()(ids).last_hidden_state
difference = float((found - wanted).abs().max())
lost = sorted(name for name in info["unexpected_keys"] if "distance_embedding" in name)
print(f"transformers {transformers.__version__}: position_embedding_type", end=" ")
print(f"{model.config.position_embedding_type!r}, difference to version 4: {difference:.3f}, dropped: {lost}")
if step == "make":
    sys.exit(0 if difference < 1e-4 and not lost else 1)
values = json.loads((folder / "config.json").read_text())
(folder / "config.json").write_text(json.dumps({**values, "position_embedding_type": "absolute"}))
with torch.no_grad():
    absolute = BertModel.from_pretrained(folder).eval()(ids).last_hidden_state
print("the same as with absolute positions:", torch.equal(found, absolute))
sys.exit(0 if difference > 0.1 and len(lost) == 2 and torch.equal(found, absolute) else 1)
PY
cd "$work"
export HF_HUB_OFFLINE=1
"$work/venv/bin/pip" install -q "transformers==4.57.1" "torch==2.13.0"
venv/bin/python check.py make
"$work/venv/bin/pip" install -q "transformers==5.23.0"
venv/bin/python check.py compare
echo "as described"
