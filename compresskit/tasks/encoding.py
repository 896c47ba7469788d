"""Texts to token ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from compresskit.errors import ConfigurationError, DataError
from compresskit.families import families
from compresskit.inputs import Row
from compresskit.tasks.examples import Encoded

Text = str | Sequence[str]

USUAL_LENGTH = 128  # tokens of a text, where nothing asks for more
_ROWS_AT_ONCE = 2_000  # a tokenizer's answers take fifty times the memory of the ids in them


def position_limit(config: Mapping[str, Any]) -> int | None:
    """The most tokens that the model of a config.json takes; None when it has no such limit."""
    positions = config.get("max_position_embeddings")
    if positions is None or positions <= 0:
        return None
    family = families().get(str(config.get("model_type")))
    return int(positions) if family is None else family.max_tokens(int(positions), config.get("pad_token_id"))


def row_length(asked: int | None, usual: int, tokenizer: Any, num_texts: int, limit: int | None) -> int:
    """Tokens at which rows are cut: those `asked` for, else the `usual` ones, at most the model's `limit`.

    Raises as `check_length` does.
    """
    length = min(usual, limit or USUAL_LENGTH) if asked is None else asked
    check_length(length, tokenizer, num_texts, limit)
    return length


def check_length(max_length: int, tokenizer: Any, num_texts: int, limit: int | None) -> None:
    """Raise ConfigurationError unless texts of `max_length` tokens fit the model and hold a word each.

    `limit`: tokens the model takes; None: what its tokenizer says, if it says.
    """
    if limit is None and tokenizer.model_max_length < 1_000_000:
        limit = tokenizer.model_max_length
    least = tokenizer.num_special_tokens_to_add(pair=num_texts == 2) + num_texts
    if max_length < least or (limit is not None and max_length > limit):
        upper = f"{least} to {limit}" if limit is not None else f"{least} or more"
        raise ConfigurationError(
            f"max length {max_length} does not fit this model; permitted: {upper} tokens. Longer texts are "
            "cut to it; set --max-length."
        )


def encode(texts: Sequence[tuple[str, ...]], tokenizer: Any, max_length: int) -> Encoded:
    """Encode rows of one or two texts, special tokens included; what exceeds `max_length` is cut off.

    Of a pair the longer text is cut first. Equal numbers are one object: a row takes 8 bytes a token.
    """
    numbers: dict[int, int] = {}
    rows: list[Row] = []
    num_cut = 0
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        part = texts[start : start + _ROWS_AT_ONCE]
        batch = _call(tokenizer, part)
        names = [
            name for name in batch if name != "attention_mask"
        ]  # unpadded: all ones, made when a batch is
        found = [{name: batch[name][i] for name in names} for i in range(len(part))]
        long = [i for i, row in enumerate(found) if len(row["input_ids"]) > max_length]
        if long:
            cut = _call(tokenizer, [part[i] for i in long], truncation="longest_first", max_length=max_length)
            for position, i in enumerate(long):
                found[i] = {name: cut[name][position] for name in names}
        num_cut += len(long)
        rows += [
            {name: [numbers.setdefault(token, token) for token in values] for name, values in row.items()}
            for row in found
        ]
    return Encoded(rows, num_cut)


def _call(tokenizer: Any, texts: Sequence[tuple[str, ...]], **options: Any) -> dict[str, list[list[int]]]:
    columns = [list(column) for column in zip(*texts, strict=True)]
    options = {"truncation": False, "padding": False, "verbose": False} | options
    return dict(tokenizer(*columns, **options))


def encode_texts(tokenizer: Any, texts: Sequence[Text], *, segments: bool) -> list[Row]:
    """Rows of texts, or of pairs of texts, not padded. DataError naming the first that is neither."""
    if isinstance(texts, str):
        raise DataError("texts is one string; give a list of texts or of (text, text) pairs.")
    inputs = [_checked(number, text) for number, text in enumerate(texts)]
    if not inputs:
        return []
    encoded = tokenizer.encode_batch(inputs)
    if not segments:
        return [{"input_ids": item.ids} for item in encoded]
    return [{"input_ids": item.ids, "token_type_ids": item.type_ids} for item in encoded]


def _checked(number: int, text: Any) -> str | tuple[str, str]:
    if isinstance(text, str):
        return text
    if isinstance(text, (list, tuple)) and 0 < len(text) <= 2 and all(isinstance(part, str) for part in text):
        return text[0] if len(text) == 1 else (text[0], text[1])
    raise DataError(f"texts[{number}] is {text!r:.60}; permitted: a text, or a (text, text) pair.")
