"""The metric of an engine, computed by that engine in ONNX Runtime; no torch is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from compresskit.bundle import Manifest, load_engine
from compresskit.bundle.loader import MODEL_FILE, session_settings
from compresskit.data.label_values import Label, label_number
from compresskit.display import UNCOUNTED, Counter
from compresskit.errors import DataError
from compresskit.pipeline.benching.data import LabelledTexts
from compresskit.tasks.label_match import match_labels
from compresskit.tasks.metrics import metric

if TYPE_CHECKING:
    from compresskit.target.profile import Profile
    from compresskit.target.remote_bench import RemoteBench

_CHUNK = 256


def score_engine(
    folder: Path,
    manifest: Manifest,
    data: LabelledTexts,
    profile: Profile,
    device: RemoteBench | None = None,
    counter: Counter = UNCOUNTED,
) -> float:
    """The engine's own metric on all rows of `data`, as a fraction; computed on `device` where there is one.

    Raises DataError for labels that the engine does not know.
    """
    engine = load_engine(folder, provider=profile.scoring_provider, threads=profile.threads)
    labels = encode_labels(data, engine.labels, data.class_names)
    texts: Any = data.texts if len(data.texts[0]) == 2 else [text for (text,) in data.texts]
    if device is None:
        parts = []
        for start in range(0, len(texts), _CHUNK):
            parts.append(engine.predict(texts[start : start + _CHUNK]))
            counter.advance(len(parts[-1]))
        logits = np.concatenate(parts)
    else:
        session = session_settings(folder, manifest)
        rows = engine.encode(texts)
        logits = device.logits(folder / MODEL_FILE, rows, session=session, pad_id=engine.pad_id)
    return metric(manifest.metric_name)(logits, labels)


def encode_labels(
    data: LabelledTexts, names: Sequence[str], class_names: Sequence[str] = ()
) -> npt.NDArray[Any]:
    """Labels as class ids (int64) by the engine's names, or as numbers (float64) where it has one output.

    Names go before numbers, and all labels go by one rule, as in a search (see `match_labels`).
    `class_names`: of integer labels. Raises DataError naming the first label that is no class, or no number.
    """
    if len(names) <= 1:
        return np.array([_number(data, row, label) for row, label in enumerate(data.labels)])
    ids = _class_ids(data, names, class_names)
    return np.array([ids[label] for label in data.labels])


def label_notes(data: LabelledTexts, names: Sequence[str]) -> tuple[str, ...]:
    """How labels that are not an engine's class names were understood, for the user."""
    found = match_labels(set(data.labels), names, data.class_names) if len(names) > 1 else None
    return () if found is None else found.notes


def _class_ids(data: LabelledTexts, names: Sequence[str], class_names: Sequence[str]) -> dict[Label, int]:
    labels = list(dict.fromkeys(data.labels))
    match = match_labels(labels, names, class_names)
    found = {label: match.find(label) for label in labels} if match else {}
    ids = {label: number for label, number in found.items() if number is not None}
    if len(ids) == len(labels):
        return ids
    odd = next((label for label in labels if match_labels([label], names) is None), None)
    if odd is not None:
        row = data.labels.index(odd)
        raise DataError(
            f"{data.source}, row {row + 1}: label {odd!r} is not one of the engine's; "
            f"permitted: {', '.join(names)}, or 0 to {len(names) - 1} where these are no names."
        )
    raise DataError(
        f"{data.source}: some labels are names of the engine's classes and some are not: "
        f"{', '.join(map(str, labels[:8]))}; permitted: {', '.join(names)}. Rename the labels."
    )


def _number(data: LabelledTexts, row: int, label: Label) -> float:
    number = label_number(label)
    if number is None:
        raise DataError(
            f"{data.source}, row {row + 1}: label {label!r} is no number, and the engine gives numbers."
        )
    return number
