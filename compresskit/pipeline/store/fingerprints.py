"""What a run was made from: hashes of its data and its model, and versions, kept in run.json and compared."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from transformers.utils import cached_file

from compresskit import __version__
from compresskit.bundle.manifest import file_hash
from compresskit.errors import RunError
from compresskit.pipeline.checkpoint.folder import WEIGHT_FILES, check_weight_files, read_shards
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.models import Checkpoint
from compresskit.runs.directory import RunDirectory
from compresskit.runs.fields import read_object
from compresskit.tasks.label_match import match_labels
from compresskit.tasks.task import Task

Say = Callable[[str], None]

_SETTING = {"data": "dataset", "model": "model"}
_VOCABULARY = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "preprocessor_config.json",
)
_PACKAGES = ("torch", "transformers", "onnxruntime", "onnxruntime-gpu")
# Classes whose names transformers 5 does not write, since it gives them by itself: LABEL_0 and LABEL_1.
_UNNAMED = 2
# Where a configuration was saved and by what; not what the model is.
_INCIDENTAL = {"_name_or_path", "transformers_version"}


@dataclass(frozen=True)
class _Classes:
    """config.json of a run's dense model, as far as it is looked at here."""

    id2label: dict[str, Any]


def fingerprints_of(task: Task, checkpoint: Checkpoint, *, download: bool) -> dict[str, Any]:
    """`data`, `model` (None where there are no weights any more) and `versions`, as run.json keeps them.

    `download`: weights of the hub that are not on this machine are fetched, else there are none.
    """
    model = model_fingerprint(checkpoint.source, download=download)
    return {"data": task.fingerprint, "model": model, "versions": _versions()}


def model_fingerprint(source: str, *, download: bool = False) -> str | None:
    """SHA-256 (hexadecimal) of the configuration, weights and vocabulary of a folder or model of the hub.

    It is of their content: a copy elsewhere has the same. None where weights are not there (see
    `fingerprints_of`). Raises ConfigurationError where they are incomplete or their index is damaged.
    """
    found = (_file(source, name, download=download) for name in WEIGHT_FILES)
    weights = next(filter(None, found), None)
    config = _file(source, "config.json")
    if weights is None or config is None:
        return None
    check_weight_files(source)
    parts = [weights]
    if weights.suffix == ".json":
        shards = [_file(source, name, download=download) for name in read_shards(source, weights)]
        parts = [shard for shard in shards if shard is not None]
        if len(parts) < len(shards):
            return None
    content = json.loads(config.read_bytes())
    kept = {name: value for name, value in content.items() if name not in _INCIDENTAL}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode())
    for file in (*parts, *filter(None, (_file(source, name) for name in _VOCABULARY))):
        digest.update(file_hash(file).encode())
    return digest.hexdigest()


def check_run(run: RunDirectory, task: Task, now: Mapping[str, Any], what: str, say: Say) -> None:
    """Raise RunError where `run` was made from other data or another model than `now`; say what else differs.

    `what` is about to be done, such as "a resumed search". A run of a version that kept no fingerprints
    continues, with a note.
    """
    before = run.info.get("fingerprints")
    if before is None:
        say(
            f"note: {run.path} was started by a version that kept no fingerprints; {what} cannot tell "
            "whether its data and model have changed"
        )
    else:
        for kind in _SETTING:
            _refuse(run, before, now, kind, what)
        if now["model"] is None or before["model"] is None:
            say(f"note: the weights of {run.settings['model']} are not there; they were not compared")
        _say_versions(run, before, now, say)
    _check_classes(run, task)


def check_judges(run: RunDirectory, task: Task) -> None:
    """RunError where a judge holds other rows than when it was asked about the front of `run`."""
    asked = run.info.get("judges") or {}
    for name, judge in task.judges.items():
        if asked.get(name, judge.fingerprint) != judge.fingerprint:
            raise RunError(
                f"judge {name} holds other rows than when the front of {run.path} was scored. Restore "
                f"them, or score it again: compresskit search --resume --output {run.path}"
            )


def check_warm_start(run: RunDirectory, now: Mapping[str, Any], settings: SearchSettings, say: Say) -> None:
    """Raise RunError where data or a model that `run` and this search name alike have changed since.

    Data and models of another name may differ, with a note.
    """
    before = run.info.get("fingerprints")
    if before is None:
        say(f"note: {run.path} kept no fingerprints of its data and model; they were not compared")
        return
    for kind, name in (("data", settings.dataset), ("model", settings.model)):
        named = run.settings.get(_SETTING[kind])
        if named == name:
            _refuse(run, before, now, kind, "a warm start")
        elif before[kind] != now[kind]:
            say(f"note: the warm start is of {_SETTING[kind]} {named!r}, not of {name!r}")
    _say_versions(run, before, now, say)


def _refuse(
    run: RunDirectory, before: Mapping[str, Any], now: Mapping[str, Any], kind: str, what: str
) -> None:
    if None in (before[kind], now[kind]) or before[kind] == now[kind]:
        return
    changed = "holds other rows or labels" if kind == "data" else "is another model"
    raise RunError(
        f"{_SETTING[kind]} {run.settings[_SETTING[kind]]!r} {changed} than when {run.path} was started "
        f"(fingerprint {before[kind][:12]}, now {now[kind][:12]}), and {what} would mix the two. Restore "
        "what it was, or start a new search."
    )


def _say_versions(run: RunDirectory, before: Mapping[str, Any], now: Mapping[str, Any], say: Say) -> None:
    old, new = before["versions"], now["versions"]
    changes = [
        f"{name} {old.get(name, 'absent')}, now {new.get(name, 'absent')}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    if changes:
        say(f"note: {run.path} was started with {'; '.join(changes)}")


def _check_classes(run: RunDirectory, task: Task) -> None:
    """Classes of the run's dense model have to stand in the order in which the data are read now."""
    file = run.supernet / "dense_model" / "config.json"
    if not task.kind.labels or not file.is_file():
        return
    remedy = "Restore it, or remove the folder dense_model and continue with --resume."
    id2label = read_object(file, _Classes, remedy).get("id2label")
    written = {str(i): f"LABEL_{i}" for i in range(_UNNAMED)} if id2label is None else id2label
    names = [str(written.get(str(i))) for i in range(len(written))]
    found = match_labels(task.kind.labels, names) if len(names) == task.kind.num_labels else None
    if found is None or any(found.find(name) != i for i, name in enumerate(task.kind.labels)):
        raise RunError(
            f"the dense model of {run.path} has the classes {', '.join(names[:12])}; its data now have "
            f"{', '.join(task.kind.labels[:12])}, in this order. Start a new search."
        )


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "compresskit": __version__, **dict(_installed())}


def _installed() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def _file(source: str, name: str, *, download: bool = True) -> Path | None:
    if Path(source).is_dir():
        path = Path(source) / name
        return path if path.is_file() else None
    found = cached_file(
        source,
        name,
        local_files_only=not download,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_gated_repo=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return None if found is None else Path(found)
