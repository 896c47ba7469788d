"""Texts to token ids as in training, by the tokenizers package alone, set up from an engine's files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compresskit.errors import ConfigurationError, EngineError
from compresskit.images.processor import FILE_NAME, ImageProcessor

TOKENIZER_FILE, SETTINGS_FILE = "tokenizer.json", "tokenizer_config.json"


def load_tokenizer(folder: Path, max_length: int | None) -> Any:
    """The `tokenizers.Tokenizer` of an engine folder, cutting texts at `max_length` tokens, None for nowhere.

    Of a pair the longer text is cut, on the side that tokenizer_config.json names. EngineError for files
    that do not load.
    """
    from tokenizers import Tokenizer

    path = folder / TOKENIZER_FILE
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception
        raise EngineError(f"{path} is not a tokenizer that loads: {error}") from error
    settings = tokenizer_settings(folder)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if max_length:
        side = settings.get("truncation_side", "right")
        tokenizer.enable_truncation(max_length, strategy="longest_first", direction=side)
    # Whether the name of a special token in a text is a text like any other; tokenizer.json does not say.
    tokenizer.encode_special_tokens = bool(settings.get("split_special_tokens", False))
    return tokenizer


def load_image_processor(folder: Path) -> ImageProcessor:
    """Of an engine folder. EngineError for settings that are damaged."""
    try:
        return ImageProcessor.of(read_object(folder / FILE_NAME), str(folder))
    except (ConfigurationError, KeyError, TypeError, ValueError) as error:
        raise EngineError(f"{folder / FILE_NAME} is damaged: {error} Export the point again.") from None


def tokenizer_settings(folder: Path) -> dict[str, Any]:
    """tokenizer_config.json; empty where there is none."""
    path = folder / SETTINGS_FILE
    return read_object(path) if path.is_file() else {}


def read_object(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds; EngineError for anything else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EngineError(f"{path} is damaged: {error}. Export the point again.") from error
    if not isinstance(value, dict):
        raise EngineError(f"{path} is damaged: it holds no object. Export the point again.")
    return value


def gives_segments(settings: Mapping[str, Any]) -> bool:
    """Whether the model was trained with the tokenizer's segments; where the files do not say, it was."""
    return "token_type_ids" in settings.get("model_input_names", ("token_type_ids",))


def padding_id(tokenizer: Any, settings: Mapping[str, Any], config: Mapping[str, Any]) -> int:
    """Id of the tokenizer's padding token, else of the model's."""
    token = settings.get("pad_token")
    name = token.get("content") if isinstance(token, dict) else token
    found = tokenizer.token_to_id(name) if isinstance(name, str) else None
    if found is None:
        found = config.get("pad_token_id")
    return 0 if found is None else int(found)
