"""Load an engine folder and run it: onnxruntime and tokenizers are enough."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy.typing as npt

from compresskit.bundle.batching import InputRow, run_rows
from compresskit.bundle.manifest import FILE_NAME, Manifest, read_manifest, verify
from compresskit.bundle.session import make_session
from compresskit.errors import ConfigurationError, DataError, EngineError
from compresskit.kinds import wrong_kind
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

    `provider` is cpu, cuda or tensorrt; `threads` of None or 0 means all physical cores that
    this process may use, within its CPU quota.
    EngineError for a damaged folder, another format version, or a missing provider.
    """
    folder = Path(folder)
    manifest = verify(folder) if check_hashes else read_manifest(folder)
    session = make_session(
        graph_file(folder), session_settings(folder, manifest), provider=provider, threads=threads
    )
    tokenizer = _tokenizer(folder, manifest)
    config = _config(folder)
    segments = any(item.name == "token_type_ids" for item in session.get_inputs())
    return Engine(folder, manifest, session, tokenizer, config.pad_id, segments)


def session_settings(folder: Path, manifest: Manifest) -> SessionSettings:
    """What the manifest says a session needs. EngineError where that is damaged."""
    try:
        return SessionSettings.from_json(manifest.session)
    except ConfigurationError as error:
        raise EngineError(f"{folder / FILE_NAME} is damaged: {error} Export the point again.") from None


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
    length = manifest.max_length or _config(folder).length
    if length:
        tokenizer.enable_truncation(length)
    return tokenizer


@dataclass(frozen=True)
class _Config:
    """What is read of config.json."""

    model_type: str
    pad_token_id: int | None
    max_position_embeddings: int | None

    @property
    def pad_id(self) -> int:
        return self.pad_token_id or 0

    @property
    def length(self) -> int | None:
        """Tokens that the model takes; RoBERTa's positions start behind the padding id."""
        if self.max_position_embeddings is None:
            return None
        shifted = "roberta" in self.model_type or self.model_type == "camembert"
        return self.max_position_embeddings - (self.pad_id + 1 if shifted else 0)


def _config(folder: Path) -> _Config:
    """Raises EngineError for a file that is damaged."""
    path = folder / "config.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EngineError(f"{path} cannot be read: {error}. Export the point again.") from error
    if not isinstance(value, dict):
        raise EngineError(f"{path} is damaged: it holds no object. Export the point again.")
    known: dict[str, Any] = {item.name: value.get(item.name) for item in fields(_Config)}
    known["model_type"] = value.get("model_type", "")
    if wrong := wrong_kind(_Config, known):
        raise EngineError(f"{path} is damaged: {wrong} Export the point again.")
    return _Config(**known)
