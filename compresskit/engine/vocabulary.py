"""A vocabulary trimmed to what a corpus uses, and the tokenizer that goes with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.engine.merges import applied_merges, merge_pairs
from compresskit.errors import EngineError
from compresskit.inputs import TOKEN_IDS, Row

_KINDS = ("WordPiece", "WordLevel", "Unigram", "BPE")
_CHUNK = 1000  # texts encoded at a time
# Written by transformers beside tokenizer.json, which alone is read where it is there.
_SUPERSEDED = ("vocab.txt", "vocab.json", "merges.txt", "added_tokens.json", "sentencepiece.bpe.model")


@dataclass(frozen=True, eq=False)
class TrimmedVocabulary:
    """`kept[i]` is the old id of the new token i, out of `total` old ones, in the old order.

    `tokenizer` is the new tokenizer.json.
    """

    kept: npt.NDArray[np.int64]
    total: int
    tokenizer: str

    @cached_property
    def new_ids(self) -> dict[int, int]:
        """Old id -> new id."""
        return {int(old): new for new, old in enumerate(self.kept)}

    def renumber(self, rows: Iterable[Row]) -> list[Row]:
        """Rows of the corpus, encoded with the old tokenizer, as the new one encodes them."""
        new = self.new_ids
        return [{**row, TOKEN_IDS: _renamed(row[TOKEN_IDS], new)} for row in rows]


@dataclass(frozen=True, eq=False)
class TrimmedTokenizer:
    """What saves the new tokenizer beside the settings of the transformers `original` it was cut from."""

    original: Any
    words: TrimmedVocabulary

    @property
    def truncation_side(self) -> str:
        return str(self.original.truncation_side)

    @property
    def model_input_names(self) -> list[str]:
        return list(self.original.model_input_names)

    def save_pretrained(self, folder: Path) -> None:
        self.original.save_pretrained(folder)
        (folder / "tokenizer.json").write_text(self.words.tokenizer, encoding="utf-8")
        for name in _SUPERSEDED:
            (folder / name).unlink(missing_ok=True)
        path = folder / "tokenizer_config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        if "added_tokens_decoder" in config:
            decoder = config["added_tokens_decoder"]
            config["added_tokens_decoder"] = {str(self.words.new_ids[int(i)]): v for i, v in decoder.items()}
            path.write_text(json.dumps(config, indent=2, ensure_ascii=False), encoding="utf-8")


def trim(
    tokenizer: str, texts: Sequence[tuple[str, ...]], *, pad_id: int, split_special_tokens: bool = False
) -> TrimmedVocabulary:
    """Keep the tokens that `texts` use, so that these are encoded as before.

    `tokenizer` is a tokenizer.json, `split_special_tokens` what its tokenizer_config.json says. Kept as
    well: special and added tokens, the unknown token, all ids up to `pad_id`, which RoBERTa's positions
    count from, and every token of one character or byte, so that other texts fall into more pieces, not
    into nothing. EngineError for a kind of tokenizer that cannot be cut, and where some text would be
    encoded otherwise.
    """
    from tokenizers import Tokenizer

    value = json.loads(tokenizer)
    kind = value["model"].get("type")
    if kind not in _KINDS:
        raise EngineError(
            f"a tokenizer of kind {kind!r} cannot be cut; {', '.join(_KINDS)} can. "
            "Leave out --trim-vocabulary."
        )
    old = Tokenizer.from_str(tokenizer)
    old.encode_special_tokens = split_special_tokens
    used = {token for ids in _encoded(old, texts) for token in ids}
    keep = used | set(range(pad_id + 1)) | {item["id"] for item in value["added_tokens"]}
    keep |= set(_processor_ids(value.get("post_processor")))
    keep |= _model_ids(value["model"], used)
    kept = np.array(sorted(keep), dtype=np.int64)
    new_ids = {int(before): after for after, before in enumerate(kept)}
    trimmed = TrimmedVocabulary(kept, old.get_vocab_size(), _rewritten(value, new_ids))
    new = Tokenizer.from_str(trimmed.tokenizer)
    new.encode_special_tokens = split_special_tokens
    for text, before, after in zip(_flat(texts), _encoded(old, texts), _encoded(new, texts), strict=True):
        if [new_ids[token] for token in before] != after:
            raise EngineError(
                f"the smaller vocabulary would encode {text[:60]!r} differently; leave out --trim-vocabulary."
            )
    return trimmed


def _renamed(ids: Sequence[Any], new: Mapping[int, int]) -> list[Any]:
    """Token ids, or lists of them, as lists."""
    return [new[each] if isinstance(each, int) else _renamed(each, new) for each in ids]


def _flat(texts: Sequence[tuple[str, ...]]) -> list[str]:
    return [text for row in texts for text in row]


def _encoded(tokenizer: Any, texts: Sequence[tuple[str, ...]]) -> Iterator[list[int]]:
    """Ids of each text, whole and without special tokens."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    flat = _flat(texts)
    for start in range(0, len(flat), _CHUNK):
        for item in tokenizer.encode_batch(flat[start : start + _CHUNK], add_special_tokens=False):
            yield item.ids


def _model_ids(model: Mapping[str, Any], used: set[int]) -> set[int]:
    """What the tokenizer's model needs beside the tokens used."""
    kind = model["type"]
    if kind in ("WordPiece", "WordLevel"):
        vocab: dict[str, int] = model["vocab"]
        prefix = model.get("continuing_subword_prefix") or ""
        singles = {i for token, i in vocab.items() if len(token.removeprefix(prefix)) == 1 or len(token) == 1}
        return singles | {vocab[model["unk_token"]]}
    if kind == "Unigram":
        return _unigram_ids(model["vocab"], model.get("unk_id"))
    return _bpe_ids(model, used)


def _unigram_ids(vocab: Sequence[tuple[str, float]], unknown: int | None) -> set[int]:
    singles = {i for i, (token, _) in enumerate(vocab) if len(token.replace("▁", "")) <= 1 or _is_byte(token)}
    # The penalty of an unknown character hangs on the least score of all.
    least = min(range(len(vocab)), key=lambda i: vocab[i][1])
    return singles | {least} | ({unknown} if unknown is not None else set())


def _bpe_ids(model: Mapping[str, Any], used: set[int]) -> set[int]:
    vocab: dict[str, int] = model["vocab"]
    if model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
        raise EngineError(
            "a BPE tokenizer with prefixes or suffixes cannot be cut; leave out --trim-vocabulary."
        )
    tokens = {i: token for token, i in vocab.items()}
    ranks = {pair: rank for rank, pair in enumerate(merge_pairs(model["merges"]))}
    keep = {i for token, i in vocab.items() if len(token) == 1 or _is_byte(token)}
    for i in used & tokens.keys():
        for left, right in applied_merges(tokens[i], ranks):
            keep |= {vocab[left], vocab[right], vocab[left + right]}
    unknown = model.get("unk_token")
    return keep | ({vocab[unknown]} if unknown in vocab else set())


def _is_byte(token: str) -> bool:
    return len(token) == 6 and token.startswith("<0x") and token.endswith(">")


def _rewritten(value: dict[str, Any], new_ids: Mapping[int, int]) -> str:
    """tokenizer.json with the tokens of `new_ids` alone, under their new ids."""
    model = dict(value["model"])
    if model["type"] == "Unigram":
        model["vocab"] = [model["vocab"][i] for i in new_ids if i < len(model["vocab"])]
        if model.get("unk_id") is not None:
            model["unk_id"] = new_ids[model["unk_id"]]
    else:
        model["vocab"] = {token: new_ids[i] for token, i in model["vocab"].items() if i in new_ids}
    if model["type"] == "BPE":
        vocab = model["vocab"]
        model["merges"] = [
            [left, right]
            for left, right in merge_pairs(model["merges"])
            if left in vocab and right in vocab and left + right in vocab
        ]
    added = [{**item, "id": new_ids[item["id"]]} for item in value["added_tokens"]]
    processor = _renumbered(value.get("post_processor"), new_ids)
    whole = {
        **value,
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "model": model,
        "post_processor": processor,
    }
    return json.dumps(whole, ensure_ascii=False)


def _processor_ids(processor: Any) -> Iterator[int]:
    """Ids of the tokens that a post-processor adds."""
    if not processor:
        return
    for part in processor.get("processors", ()):
        yield from _processor_ids(part)
    for name in ("cls", "sep"):  # BertProcessing, RobertaProcessing: (token, id)
        if name in processor:
            yield processor[name][1]
    for item in _special_tokens(processor).values():
        yield from item["ids"]


def _renumbered(processor: Any, new_ids: Mapping[int, int]) -> Any:
    if not processor:
        return processor
    result = dict(processor)
    if "processors" in result:
        result["processors"] = [_renumbered(part, new_ids) for part in result["processors"]]
    for name in ("cls", "sep"):
        if name in result:
            result[name] = [result[name][0], new_ids[result[name][1]]]
    if _special_tokens(result):
        result["special_tokens"] = {
            token: {**item, "ids": [new_ids[i] for i in item["ids"]]}
            for token, item in result["special_tokens"].items()
        }
    return result


def _special_tokens(processor: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of TemplateProcessing."""
    found: Mapping[str, Any] = processor.get("special_tokens") or {}
    return found
