"""compresskit.json: what an engine folder holds and where it comes from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from compresskit.bundle.encoding import read_object
from compresskit.errors import ConfigurationError, EngineError
from compresskit.field_types import wrong_kind
from compresskit.tasks.base import TaskKind
from compresskit.tasks.registry import kind_named

FILE_NAME = "compresskit.json"
FORMAT_VERSION = 1
GRAPH_SUFFIXES = {".onnx", ".ort"}


@dataclass(frozen=True)
class Manifest:
    """`test_metric` is a fraction, computed by the engine in ONNX Runtime; None where it was not. `test` has
    its `rows`, its 95 % interval `metric_ci`, and against the dense model on these rows its `dense_metric`
    and the paired interval of the difference, `difference_ci`.

    `task` (see `TaskKind.to_json`) and `labels` (names by class id, none for regression) tell what the engine
    answers, `inputs` what it reads: see `InputSpec`. Older engines have neither `task` nor `inputs`.

    `macs` are those of the profile's batch and length. `session` is what a loader must set for the
    measured speed. `blocks` is empty, or says which
    matrices are stored in blocks, at what rate and with how many bytes of indices. `files` maps each file of
    the folder to the SHA-256 of its bytes; `write_engine` fills it in with `versions` and `device`.

    `float_layers` are modules that an int8 left in float; `precision_trials` what each precision gave on
    the device and on validation data, with the reason why it was not taken. `embeddings` is the precision
    of the table of words, `vocabulary` how many tokens of how many stay (empty: all). `variant_check`
    compares the graph's form with the plain one, on the device and with these weights. `runtime` holds the
    lowest `onnxruntime` in which graphs of this kind were proven, their `opset`, `ir_version`, and the
    `other_domains` of operators that are not ONNX's own. `judges` has, by name, what judges beside the metric
    say of the engine (see `runs.judged`), and their `dense_metric`.
    """

    architecture: Mapping[str, Any]
    signature: str
    precision: str
    metric_name: str
    test_metric: float | None
    num_params: int
    macs: int
    variant: str
    session: Mapping[str, Any] = field(default_factory=dict)
    blocks: Mapping[str, Any] = field(default_factory=dict)
    task: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    lineage: Mapping[str, Any] = field(default_factory=dict)
    test: Mapping[str, Any] = field(default_factory=dict)
    judges: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    max_length: int | None = None
    float_layers: list[str] = field(default_factory=list)
    embeddings: str = "fp32"
    vocabulary: Mapping[str, int] = field(default_factory=dict)
    precision_trials: list[Mapping[str, Any]] = field(default_factory=list)
    variant_check: Mapping[str, Any] = field(default_factory=dict)
    runtime: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    device: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def kind(self) -> TaskKind:
        """The task that the engine is for. EngineError for one that is not known."""
        older = "classification" if len(self.labels) > 1 else "regression"
        own = {name: value for name, value in self.task.items() if name != "name"}
        try:
            return kind_named(self.task.get("name", older))(tuple(self.labels), self.metric_name, **own)
        except (ConfigurationError, TypeError) as error:
            raise EngineError(f"{FILE_NAME} names a task that this version does not know: {error}") from None

    def to_json(self) -> dict[str, Any]:
        return {"format_version": self.format_version, **asdict(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Manifest:
        """Raises EngineError when keys are missing or unknown."""
        names = {item.name for item in fields(cls)}
        unknown = sorted(set(value) - names)
        if unknown:
            raise EngineError(f"{FILE_NAME} has the key {unknown[0]!r}, which this version does not know.")
        if wrong := wrong_kind(cls, value) or wrong_kind(_Lineage, value.get("lineage", {})):
            raise EngineError(f"{FILE_NAME} is damaged: {wrong} Export the point again.")
        if not (value.get("max_length") or 1) > 0:
            raise EngineError(
                f"{FILE_NAME} is damaged: max_length is {value['max_length']}; permitted: 1 or more."
            )
        try:
            return cls(**value)
        except TypeError as error:
            raise EngineError(f"{FILE_NAME} is incomplete: {error}. Export the point again.") from None


@dataclass(frozen=True)
class _Lineage:
    """Types of what bench, cards and Triton repositories take from `Manifest.lineage`."""

    run: str | None
    trial_id: int | None
    model: str
    dataset: str
    profile: dict[str, Any] | None
    latency_ms: float | None
    latency_ci_ms: list[float]
    dense_latency_ms: float
    speedup: float
    speedup_ci: list[float]
    latency_marks: list[str]
    reference: str | None
    reference_level_ms: float | None
    conditions: str | None


def read_manifest(folder: Path | str) -> Manifest:
    """The manifest of an engine folder. EngineError for no engine, damage or another version."""
    path = Path(folder) / FILE_NAME
    if not path.exists():
        raise EngineError(
            f"{folder} is not an engine: it has no {FILE_NAME}. Give a folder that `compresskit export` "
            "wrote."
        )
    value = read_object(path)
    version = value.get("format_version")
    if version != FORMAT_VERSION:
        raise EngineError(
            f"{path} has format version {version}; this compresskit reads {FORMAT_VERSION}. "
            "Export the point again, or install the version that wrote it."
        )
    return Manifest.from_json(value)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    text = json.dumps(manifest.to_json(), indent=2, sort_keys=True, allow_nan=False)
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of the folder but the manifest, by its path within the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != FILE_NAME)
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in paths}


def verify(folder: Path | str) -> Manifest:
    """The manifest, once every file that it lists was found whole, and no graph that it does not list.

    EngineError names a file that is not as it was exported.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix in GRAPH_SUFFIXES and name not in manifest.files:
            raise EngineError(
                f"{path} is a graph that {FILE_NAME} does not list, so it was never verified. Remove it, or "
                "export the point again."
            )
    for name, wanted in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise EngineError(f"engine {folder} lacks its file {name}. Export the point again.")
        if file_hash(path) != wanted:
            raise EngineError(
                f"{path} is damaged or was changed: its SHA-256 is not the one in {FILE_NAME}. "
                "Export the point again."
            )
    return manifest


def file_hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
