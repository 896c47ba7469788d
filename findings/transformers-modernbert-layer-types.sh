#!/bin/bash
# transformers 4.57.6: a ModernBERT whose config.json has `layer_types` is another model than in transformers 5.23.0.
#
# A good guess: transformers 5 writes `layer_types`, which says what each layer is; transformers 4.57, the newest that
# optimum-onnx 0.1.0 permits, knows that key from other models (Gemma, Qwen), so it reads it here too, or says that it
# does not.
# What happens: 4.57 reads `global_attn_every_n_layers` alone, so what a layer is follows from its place. A model that
# lost a layer, or whose order is its own, is computed with a window where it has none (and the other way round), and
# with the base of the other kind's rotations, so that texts within the window differ too, if little. The weights fit,
# nothing is missing or unexpected, and nothing is said.
#
# Source: models/modernbert/modeling_modernbert.py of 4.57.6, ModernBertAttention.__init__
# (`layer_id % config.global_attn_every_n_layers`). Exits with an error when that changes.
# Needs Python 3.10 to 3.13 as python3 (or PYTHON=...), and PyPI.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
pip=("$work/venv/bin/pip" --quiet --disable-pip-version-check)
"${pip[@]}" install torch==2.13.0 transformers==5.23.0
"${pip[@]}" install --target "$work/old" --no-deps transformers==4.57.6 tokenizers==0.22.2 huggingface-hub==0.36.0
"${pip[@]}" install requests

cat > "$work/check.py" <<'PY'
import sys

import torch
import transformers
from transformers import ModernBertConfig, ModernBertForSequenceClassification

transformers.utils.logging.set_verbosity_warning()
generator = torch.Generator().manual_seed(0)
ids = torch.randint(5, 60, (1, 40), generator=generator)


def logits(model):
    with torch.no_grad():
        return [model.eval()(ids[:, :length], torch.ones(1, length, dtype=torch.long)).logits for length in (3, 40)]


print(f"transformers {transformers.__version__}, torch {torch.__version__}")
if sys.argv[1] == "save":
    special = dict.fromkeys((f"{name}_token_id" for name in ("pad", "bos", "eos", "cls", "sep")), 1)
    config = ModernBertConfig(
        vocab_size=60, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=24,
        local_attention=6, num_labels=3, layer_types=["full_attention", "sliding_attention", "full_attention"], **special,
    )
    model = ModernBertForSequenceClassification(config)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator) * 0.2
            parameter.copy_(noise + (0.5 if parameter.dim() == 1 else 0.0))
    model.save_pretrained("model")
    torch.save(logits(model), "logits.pt")
else:
    model, info = ModernBertForSequenceClassification.from_pretrained(
        "model", output_loading_info=True, attn_implementation="sdpa"
    )
    wanted = torch.load("logits.pt")
    short, long = (float((one - other).abs().max()) for one, other in zip(logits(model), wanted))
    told = {name: value for name, value in info.items() if value}
    print(f"layer_types of the configuration: {model.config.layer_types}")
    print(f"windows: {[layer.attn.local_attention for layer in model.model.layers]}")
    print(f"logits differ by {short:.1e} on 3 tokens, {long:.1e} on 40; told at loading: {told}")
    assert short > 1e-4 and long > 1e-2 and not told, "this has changed"
PY
cd "$work"
"$work/venv/bin/python" check.py save
PYTHONPATH="$work/old" "$work/venv/bin/python" check.py load
