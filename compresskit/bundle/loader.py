"""Load an engine folder and run it: onnxruntime and tokenizers are enough."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from compresskit.bundle.batching import InputRow, run_rows
from compresskit.bundle.manifest import Manifest, read_manifest, verify
from compresskit.bundle.session import make_session
from compresskit.errors import DataError, EngineError
from compresskit.families import FAMILIES
from compresskit.target.base import SessionSettings

MODEL_FILE = "onnx/model.onnx"
Text = str | Sequence[str]


@dataclass(frozen=True, eq=False)
class Engine:
    """A loaded engine. `session` is its `onnxruntime.InferenceSession`."""

    folder: Path
    manifest: Manifest
    session: Any
    tokenizer: Any  # tokenizers.Tokenizer
    pad_id: int
    segments: bool

    @property
    def labels(self) -> list[str]:
        """Names by class id; empty for regression."""
        return list(self.manifest.labels)

    def encode(self, texts: Sequence[Text]) -> list[InputRow]:
        """Token ids of texts or of pairs of texts, cut to what the model takes, not padded."""
        if isinstance(texts, str):
            raise DataError("texts is one string; give a list of texts or of (text, text) pairs.")
        inputs = [text if isinstance(text, str) else tuple(text) for text in texts]
        encoded = self.tokenizer.encode_batch(inputs)
        if not self.segments:
            return [{"input_ids": item.ids} for item in encoded]
        return [{"input_ids": item.ids, "token_type_ids": item.type_ids} for item in encoded]

    def predict(self, texts: Sequence[Text], *, batch_size: int = 32) -> npt.NDArray[Any]:
        """Logits of shape (texts, labels), float32."""
        return run_rows(self.session, self.encode(texts), pad_id=self.pad_id, batch_size=batch_size)


def load_engine(
    folder: Path | str, *, provider: str = "cpu", threads: int | None = None, check_hashes: bool = True
) -> Engine:
    """The engine in `folder`, its session set up for the speed that was measured.

    `provider` is cpu, cuda or tensorrt; `threads` of None or 0 means ONNX Runtime's own number.
    EngineError for a damaged folder, another format version, or a missing provider.
    """
    folder = Path(folder)
    manifest = verify(folder) if check_hashes else read_manifest(folder)
    settings = SessionSettings.from_json(manifest.session)
    session = make_session(graph_file(folder), settings, provider=provider, threads=threads)
    tokenizer = _tokenizer(folder, manifest)
    config = _json(folder / "config.json")
    pad_id = config.get("pad_token_id")
    segments = any(item.name == "token_type_ids" for item in session.get_inputs())
    return Engine(folder, manifest, session, tokenizer, 0 if pad_id is None else int(pad_id), segments)


def graph_file(folder: Path) -> Path:
    """The ONNX file of an engine folder; EngineError where there is none."""
    path = folder / MODEL_FILE
    if not path.is_file():
        raise EngineError(f"engine {folder} lacks its file {MODEL_FILE}. Export the point again.")
    return path


def _tokenizer(folder: Path, manifest: Manifest) -> Any:
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception
        raise EngineError(f"{path} is not a tokenizer that loads: {error}") from error
    tokenizer.no_padding()
    length = manifest.max_length or _model_length(folder)
    if length:
        tokenizer.enable_truncation(length)
    return tokenizer


def _model_length(folder: Path) -> int | None:
    """Tokens that the model takes, from config.json."""
    config = _json(folder / "config.json")
    positions = config.get("max_position_embeddings")
    if positions is None:
        return None
    family = FAMILIES.get(str(config.get("model_type")))
    return int(positions) if family is None else family.max_tokens(int(positions), config.get("pad_token_id"))


def _json(path: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"{path} cannot be read: {error}") from error
    return value
