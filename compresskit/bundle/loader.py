"""Load an engine folder and run it: onnxruntime and tokenizers are enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from compresskit.bundle.batching import run_rows
from compresskit.bundle.encoding import (
    gives_segments,
    load_image_processor,
    load_tokenizer,
    padding_id,
    read_object,
    tokenizer_settings,
)
from compresskit.bundle.manifest import FILE_NAME, Manifest, read_manifest, verify
from compresskit.bundle.runtime import check_runtime
from compresskit.bundle.session import make_session
from compresskit.errors import ConfigurationError, EngineError
from compresskit.field_types import wrong_kind
from compresskit.inputs import IMAGES, PIXELS, InputSpec, Row, text_inputs
from compresskit.target.base import SessionSettings
from compresskit.tasks.base import TaskKind
from compresskit.tasks.encoding import position_limit

MODEL_FILE = "onnx/model.onnx"


@dataclass(frozen=True, eq=False)
class Engine:
    """A loaded engine. `session` is its `onnxruntime.InferenceSession`."""

    folder: Path
    manifest: Manifest
    session: Any
    tokenizer: Any  # tokenizers.Tokenizer, or ImageProcessor
    kind: TaskKind
    inputs: InputSpec
    segments: bool

    @property
    def labels(self) -> list[str]:
        """Names by class id; empty for regression."""
        return list(self.manifest.labels)

    def encode(self, texts: Sequence[Any]) -> list[Row]:
        """Rows of texts, pairs of texts or images, as in training: cut to the same length, not padded."""
        return self.kind.encode_served(texts, self.tokenizer, segments=self.segments)

    def predict(self, texts: Iterable[Any], *, batch_size: int = 32) -> Any:
        """What the task answers: of classification and regression logits (texts, labels), float32."""
        given = texts if isinstance(texts, str) else list(texts)  # they are read more than once
        rows = self.encode(given)
        logits = run_rows(self.session, rows, inputs=self.inputs, batch_size=batch_size)
        return self.kind.decode(self.kind.predictions(logits, rows), rows, given)


def load_engine(
    folder: Path | str, *, provider: str = "cpu", threads: int | None = None, check_hashes: bool = True
) -> Engine:
    """The engine in `folder`, its session set up for the speed that was measured.

    `provider` is cpu, cuda or tensorrt; `threads` of None or 0 means all physical cores that
    this process may use, within its CPU quota.
    EngineError for a damaged folder, another format version, a missing provider, or an ONNX Runtime
    older than the lowest in which graphs of this kind were proven right.
    """
    folder = Path(folder)
    manifest = verify(folder) if check_hashes else read_manifest(folder)
    graph = graph_file(folder)
    check_runtime(folder, manifest, graph)
    settings = session_settings(folder, manifest)
    session = make_session(graph, settings, provider=provider, threads=threads)
    config, words = _read_config(folder), tokenizer_settings(folder)
    names = [item.name for item in session.get_inputs()]
    if PIXELS in names:
        return Engine(folder, manifest, session, load_image_processor(folder), manifest.kind, IMAGES, False)
    tokenizer = load_tokenizer(folder, manifest.max_length or position_limit(config))
    inputs = _inputs(manifest, names) or text_inputs(names, padding_id(tokenizer, words, config))
    segments = gives_segments(words) and "token_type_ids" in names
    return Engine(folder, manifest, session, tokenizer, manifest.kind, inputs, segments)


def _inputs(manifest: Manifest, names: Sequence[str]) -> InputSpec | None:
    """Of a graph with inputs `names`; None in a manifest of an older version. EngineError for damage."""
    if not manifest.inputs:
        return None
    try:
        found = InputSpec.from_json(manifest.inputs)
        if not {found.names[0]} <= set(names) <= set(found.names):
            raise ValueError(f"the graph has {', '.join(names)}")
        return found
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise EngineError(
            f"{FILE_NAME} is damaged: inputs are not as they should be ({error!r}). Export the point again."
        ) from None


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


@dataclass(frozen=True)
class _Config:
    """What is read of config.json."""

    model_type: str | None
    pad_token_id: int | None
    max_position_embeddings: int | None


def _read_config(folder: Path) -> Mapping[str, Any]:
    """Raises EngineError for a file that is damaged."""
    path = folder / "config.json"
    config = read_object(path)
    if wrong := wrong_kind(_Config, {item.name: config.get(item.name) for item in fields(_Config)}):
        raise EngineError(f"{path} is damaged: {wrong} Export the point again.")
    return config
