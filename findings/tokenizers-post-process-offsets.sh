#!/bin/bash
# tokenizers 0.23.3: a pair that post_process makes of two encodings has characters that are one too late.
#
# A good guess: windows of a long context can be made of its encoding without special tokens: truncate it with a
# stride, and let `Tokenizer.post_process(question, window)` add the special tokens. Tokens and characters are then
# those of `encode(question, window)`.
# What happens: tokens are, characters are not. `encode(..., add_special_tokens=False)` has run the post-processor
# already, all but its special tokens, and a byte-level one that trims offsets (RoBERTa's) moves the beginning of
# each token behind a space again, now past its first letter: "cd" is said to be "d". An answer that is cut out of
# the context by its characters lacks its first letter; other tokenizers (WordPiece) show nothing. And a window
# that does not begin with the text keeps the space of its first token where `add_prefix_space` is on, so that
# equal tokens have different characters in two windows.
#
# Source: tokenizers/src/pre_tokenizers/byte_level.rs (process_offsets), called by processors/roberta.rs.
# Needs Python 3.10 or later as python3 (or PYTHON=...), and PyPI.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -q "tokenizers==0.23.3"

cat > "$work/check.py" <<'PY'
import sys

import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ["ab", "cd", "ef", "gh"]
TEXT = " ".join(WORDS)
vocab = {token: i for i, token in enumerate(["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())])}
merges = []
for word in WORDS:
    for pair in ((word[0], word[1]), ("\u0120", word)):
        merges.append(pair)
        vocab["".join(pair)] = len(vocab)


def tokenizer(add_prefix_space: bool) -> Tokenizer:
    found = Tokenizer(models.BPE(vocab, merges))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.post_processor = processors.RobertaProcessing(
        ("</s>", 1), ("<s>", 0), trim_offsets=True, add_prefix_space=add_prefix_space
    )
    return found


def said(encoding) -> list[str]:
    places = zip(encoding.offsets, encoding.sequence_ids)
    return [TEXT[start:end] for (start, end), of in places if of == 1]


plain = tokenizer(add_prefix_space=False)
whole = plain.encode("ab", TEXT)
joined = plain.post_process(
    *(plain.encode(text, add_special_tokens=False) for text in ("ab", TEXT))
)
print(f"tokenizers {tokenizers.__version__}; equal tokens: {joined.ids == whole.ids}")
print("encode:      ", said(whole))
print("post_process:", said(joined))
prefixed = tokenizer(add_prefix_space=True)
prefixed.enable_truncation(8, stride=2, strategy="only_second")
first = prefixed.encode("ab", TEXT)
windows = [said(first), *map(said, first.overflowing)]
print("windows, add_prefix_space=True:", windows)
as_described = joined.ids == whole.ids and said(whole) == WORDS and said(joined) == ["ab", "d", "f", "h"]
sys.exit(0 if as_described and any(" cd" in window for window in windows) else 1)
PY
"$work/venv/bin/python" "$work/check.py"
echo "as described"
