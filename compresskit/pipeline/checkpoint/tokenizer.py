"""A checkpoint's tokenizer: whether it is fast, and whether model and graph have what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from transformers import AutoTokenizer

from compresskit.errors import ConfigurationError, reason_of
from compresskit.exhausted import is_out_of_memory
from compresskit.inputs import SEGMENT_IDS
from compresskit.tasks.padding import padding_of


class OpenTokenizer(NamedTuple):
    """`pad_id` pads batches; the tokenizer itself may know of no padding."""

    tokenizer: Any
    pad_id: int
    notes: tuple[str, ...]


def open_tokenizer(source: str, config: Any, inputs: Sequence[str]) -> OpenTokenizer:
    """The tokenizer, limited to the `inputs` of the model's graph, and the model's padding id.

    Sets the padding id of `config` where it has none. Raises ConfigurationError.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
    except Exception as error:  # tokenizers raises bare Exception
        if is_out_of_memory(error):
            raise
        raise ConfigurationError(
            f"model {source!r} has no tokenizer that loads ({reason_of(error)}); put the tokenizer.json "
            "of the model that it was made from beside its config.json."
        ) from error
    if not tokenizer.is_fast:
        raise ConfigurationError(
            f"the tokenizer of model {source!r} ({type(tokenizer).__name__}) has no fast version, so an "
            "engine has no tokenizer.json to carry; give a model with a fast tokenizer, or convert this one."
        )
    _check_vocabulary(source, tokenizer, config.vocab_size)
    pad_id, notes = padding_of(source, tokenizer, config)
    given = list(tokenizer.model_input_names)
    tokenizer.model_input_names = [name for name in given if name in inputs]
    # Saved only where it stands here too; else who loads it goes by a default of the tokenizer's class.
    tokenizer.init_kwargs["model_input_names"] = tokenizer.model_input_names
    if left := [name for name in given if name not in inputs]:
        notes = (*notes, f"its tokenizer gives {', '.join(left)}, which the model's graph has not: left out")
    return OpenTokenizer(tokenizer, pad_id, notes)


def check_segments(source: str, config: Any, inputs: Sequence[str], tokenizer: Any, num_texts: int) -> None:
    """ConfigurationError unless the model, and its graph, have the segments of rows of `num_texts` texts.

    A tokenizer that is opened for `inputs`, and gives none, gives what transformers computes with: all 0.
    """
    encoded = tokenizer(*["a"] * num_texts, return_token_type_ids=True)
    largest = max(encoded.get(SEGMENT_IDS) or [0])
    in_model = getattr(config, "type_vocab_size", 0) or 0
    if SEGMENT_IDS in tokenizer.model_input_names and largest >= in_model:
        raise ConfigurationError(
            f"the tokenizer of model {source!r} gives segments ({SEGMENT_IDS}) 0 to {largest}, but the model "
            f"has {in_model} (type_vocab_size); give the tokenizer that it was trained with."
        )
    if SEGMENT_IDS not in inputs and 0 < largest < in_model:
        raise ConfigurationError(
            f"model {source!r} tells the two texts of a row apart by segments ({SEGMENT_IDS}), which the "
            f"graph of a {config.model_type} model has not; give a model with type_vocab_size 1, or of "
            "another type."
        )


def _check_vocabulary(source: str, tokenizer: Any, rows: int) -> None:
    """transformers makes a tokenizer of special tokens alone where a folder has no vocabulary."""
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise ConfigurationError(
            f"model {source!r} has no vocabulary: its tokenizer knows special tokens alone; put the "
            "tokenizer.json of the model that it was made from beside its config.json."
        )
    token, largest = max(tokenizer.get_vocab().items(), key=lambda item: int(item[1]))
    if largest >= rows:
        raise ConfigurationError(
            f"the tokenizer of model {source!r} has {len(tokenizer)} tokens, of which {token!r} has id "
            f"{largest}, but the model has embeddings for {rows}; put the tokenizer.json of the model that "
            "it was made from beside its config.json."
        )
