#!/bin/bash
# @huggingface/transformers (Transformers.js) 4.3.2: a text that is truncated loses its last special token.
#
# A good guess: `tokenizer(text, {truncation: true, max_length: 8})` reads the same tokenizer.json as Python's
# tokenizers, so a long text gets [CLS], six pieces, [SEP].
# What happens: the text is encoded whole, special tokens included, and the list is then cut: [CLS] and seven
# pieces, without [SEP]. Pipelines truncate by default, so a long text is another input to the model than in
# Python: vectors of texts of more than the longest length differed in the second decimal place (all others in
# the seventh), and a classifier may answer otherwise. A pair loses the end of its second text alone, where
# Python's default shortens the longer one.
#
# Source: `_call` in src/tokenization_utils.js (truncation after post-processing); found by comparing an
# embedding model in both.
# Needs Python 3.10 or later as python3 (or PYTHON=...), Node 18 or later, PyPI and npm.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install -q "tokenizers==0.23.1"
export ONNXRUNTIME_NODE_INSTALL=skip ONNXRUNTIME_NODE_INSTALL_CUDA=skip
npm install --silent --no-audit --no-fund "@huggingface/transformers@4.3.2" > /dev/null

cat > make.py <<'PY'
import json
import pathlib

import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

words = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", *"abcdefghijklmnop"]
tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]",
    pair="[CLS] $A [SEP] $B:1 [SEP]:1",
    special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
)
tokenizer.add_special_tokens(words[:4])
folder = pathlib.Path("model")
folder.mkdir()
tokenizer.save(str(folder / "tokenizer.json"))
named = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 8, "pad_token": "[PAD]"}
(folder / "tokenizer_config.json").write_text(json.dumps(named))
tokenizer.enable_truncation(8)
print("tokenizers", tokenizers.__version__)
texts = ("a b c", "a b c d e f g h i j"), ("a b c d e f g h i j", "k l")
found = [tokenizer.encode(text).tokens for text in texts[0]] + [tokenizer.encode(*texts[1]).tokens]
pathlib.Path("python.json").write_text(json.dumps(found))
PY
venv/bin/python make.py

cat > check.mjs <<'JS'
import fs from "node:fs";
import { AutoTokenizer, env } from "@huggingface/transformers";

env.allowRemoteModels = false;
env.localModelPath = process.cwd();
const { version } = JSON.parse(fs.readFileSync("node_modules/@huggingface/transformers/package.json"));
console.log("@huggingface/transformers", version);
const tokenizer = await AutoTokenizer.from_pretrained("model");
const tokens = (text, text_pair) => {
  const { input_ids } = tokenizer(text, { text_pair, truncation: true, max_length: 8 });
  return Array.from(input_ids.data, (id) => tokenizer.decode([Number(id)]));
};
const long = "a b c d e f g h i j";
const here = [tokens("a b c"), tokens(long), tokens(long, "k l")];
const python = JSON.parse(fs.readFileSync("python.json"));
["a short text", "a long text", "a long and a short text"].forEach((name, i) =>
  console.log(`${name}: Python ${python[i].join(" ")} | Transformers.js ${here[i].join(" ")}`));
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const expected =
  same(here[0], python[0]) &&
  python[1].at(-1) === "[SEP]" && !same(here[1], python[1]) && here[1].at(-1) !== "[SEP]" &&
  python[2].at(-1) === "[SEP]" && !same(here[2], python[2]);
console.log(expected ? "as described: what is truncated has no [SEP] at its end" : "NO LONGER as described");
process.exit(expected ? 0 : 1);
JS
node check.mjs
