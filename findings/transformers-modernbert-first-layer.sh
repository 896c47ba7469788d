#!/bin/bash
# transformers 5.23.0: a ModernBERT that lost its first layer is another model after save_pretrained and from_pretrained.
#
# A good guess: layers that are taken out of `model.layers`, with `num_hidden_layers` and `layer_types` set to what is
# left, survive saving and loading, as they do for BERT, MPNet, ViT, Llama and others, and as they do here when any
# layer but the first goes.
# What happens: whether a layer has a norm before its attention is decided by its place when the model is made: place 0
# has none (nn.Identity). Without layer 0 the next one, which has learnt with its norm, comes to place 0; in memory it
# keeps it, in the file its weight is there, and from_pretrained drops it as an unexpected key. It raises nothing.
#
# Source: models/modernbert/modeling_modernbert.py, ModernBertEncoderLayer.__init__ (`if layer_idx == 0`); found by
# comparing logits. Exits with an error when that changes.
# Needs Python 3.10 to 3.13 as python3 (or PYTHON=...), and PyPI.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.23.0

cat > "$work/check.py" <<'PY'
import copy
import sys

import torch
import transformers
from transformers import ModernBertConfig, ModernBertForSequenceClassification

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
torch.manual_seed(0)
special = dict.fromkeys((f"{name}_token_id" for name in ("pad", "bos", "eos", "cls", "sep")), 1)
config = ModernBertConfig(
    vocab_size=60, hidden_size=32, num_hidden_layers=4, num_attention_heads=4, intermediate_size=24,
    local_attention=4, num_labels=3, **special,
)
model = ModernBertForSequenceClassification(config).eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.2 + (0.5 if parameter.dim() == 1 else 0.0))
ids = torch.randint(5, 60, (2, 12))


def difference(gone):
    """Largest difference of logits after saving and loading, without this layer, and what was left out."""
    less = copy.deepcopy(model)
    kept = [i for i in range(4) if i != gone]
    less.config.layer_types = [config.layer_types[i] for i in kept]
    less.model.layers = torch.nn.ModuleList(less.model.layers[i] for i in kept)
    less.config.num_hidden_layers = len(kept)
    less.save_pretrained(f"without{gone}")
    again, info = ModernBertForSequenceClassification.from_pretrained(f"without{gone}", output_loading_info=True)
    with torch.no_grad():
        far = float((less(ids).logits - again.eval()(ids).logits).abs().max())
    return far, sorted(info["unexpected_keys"])


print(f"transformers {transformers.__version__}, torch {torch.__version__}")
found = {gone: difference(gone) for gone in range(4)}
for gone, (far, left_out) in found.items():
    print(f"without layer {gone}: logits differ by {far:.1e} after loading; unexpected: {left_out}")
silent = found[0][0] > 0.01 and found[0][1] == ["model.layers.0.attn_norm.weight"]
sys.exit(0 if silent and max(found[gone][0] for gone in (1, 2, 3)) < 1e-6 else 1)
PY
cd "$work"
"$work/venv/bin/python" check.py
