"""The id that batches of tokens are padded with: the model's own, else its tokenizer's."""

from __future__ import annotations

import copy
from typing import Any

from compresskit.errors import ConfigurationError
from compresskit.families import families


def padding_of(source: str, tokenizer: Any, config: Any) -> tuple[int, tuple[str, ...]]:
    """The id that the model takes for padding, and what there is to say of it.

    `config` is told the padding id where it has none. Raises ConfigurationError.
    """
    own, given = config.pad_token_id, tokenizer.pad_token_id
    if own is None and given is None:
        if (end := tokenizer.eos_token_id) is not None and _is_causal(config):
            tokenizer.pad_token, config.pad_token_id = tokenizer.eos_token, end
            return int(end), (
                f"it names no padding token: padded with {tokenizer.eos_token}, which is masked",
            )
        raise ConfigurationError(
            f"neither the tokenizer nor the config.json of model {source!r} names a padding token; set "
            "pad_token in tokenizer_config.json, and pad_token_id in config.json to its id."
        )
    if own is None:
        config.pad_token_id = given
        return int(given), (f"config.json names no padding id: the tokenizer's, {given}, is taken",)
    if not 0 <= own < config.vocab_size:
        also = "" if given is None else f" The tokenizer pads with {given}."
        raise ConfigurationError(
            f"pad_token_id of model {source!r} is {own}; permitted: 0 to {config.vocab_size - 1}, the rows "
            f"of its embeddings. Correct it in config.json.{also}"
        )
    if given is None:
        token = tokenizer.convert_ids_to_tokens(own)
        return own, (f"its tokenizer names no padding token: padded with the model's own id {own} ({token})",)
    if given != own:
        return own, (f"its tokenizer pads with id {given}, its config.json says {own}: padded with {own}",)
    return own, ()


def _is_causal(config: Any) -> bool:
    """Whether no token looks ahead, so that none sees the padding behind it."""
    family = families().get(config.model_type)
    return family is not None and bool(family.last_token_head)


def without_padding(config: Any) -> Any:
    """A copy of a transformers configuration that names no padding id."""
    config = copy.deepcopy(config)
    config.pad_token_id = None
    return config
