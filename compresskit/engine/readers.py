"""What turns inputs into rows, written beside an engine's graph: a tokenizer or an image processor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from compresskit.bundle.encoding import SETTINGS_FILE, TOKENIZER_FILE, tokenizer_settings
from compresskit.errors import EngineError
from compresskit.images.processor import ImageProcessor


def save_reader(reader: Any, folder: Path, max_length: int | None = None) -> None:
    """Write what turns inputs into rows: an image processor, or a tokenizer (see `save_tokenizer`)."""
    if isinstance(reader, ImageProcessor):
        reader.save_pretrained(folder)
    else:
        save_tokenizer(reader, folder, max_length)


def save_tokenizer(tokenizer: Any, folder: Path, max_length: int | None = None) -> None:
    """Write a tokenizer so that every reader of its files encodes texts as training did.

    `max_length` is where training cut them, None for nowhere. EngineError for a tokenizer without
    tokenizer.json, which needs Python to run.
    """
    from tokenizers import Tokenizer

    tokenizer.save_pretrained(folder)
    path = folder / TOKENIZER_FILE
    if not path.is_file():
        raise EngineError(
            f"the tokenizer ({type(tokenizer).__name__}) has no tokenizer.json; "
            "give a model with a fast tokenizer."
        )
    settings = tokenizer_settings(folder)
    side = tokenizer.truncation_side
    settings |= {
        "truncation_side": side,
        # Training pads behind the text, whatever the checkpoint says.
        "padding_side": "right",
        "model_input_names": list(tokenizer.model_input_names),
    }
    # The name of transformers 5 for this class, which 4 (that of optimum-onnx) does not know; 5 knows both.
    if settings.get("tokenizer_class") == "TokenizersBackend":
        settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    # What a checkpoint or the last call left in tokenizer.json is obeyed by the tokenizers package alone.
    bare = Tokenizer.from_file(str(path))
    bare.no_padding()
    bare.no_truncation()
    if max_length:
        bare.enable_truncation(max_length, strategy="longest_first", direction=side)
        # 1e30, as transformers writes "unknown", lets other tools run into the end of the position table.
        settings["model_max_length"] = max_length
    bare.save(str(path))
    text = json.dumps(settings, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / SETTINGS_FILE).write_text(text + "\n", encoding="utf-8")
