"""The metric of an engine, computed by that engine in ONNX Runtime; no torch is needed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from compresskit.bundle import Manifest, load_engine
from compresskit.bundle.loader import MODEL_FILE, session_settings
from compresskit.errors import DataError
from compresskit.pipeline.bench_data import LabelledTexts
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
) -> float:
    """The engine's own metric on all rows of `data`, as a fraction; computed on `device` where there is one.

    Raises DataError for labels that the engine does not know.
    """
    engine = load_engine(folder, provider=profile.scoring_provider, threads=profile.threads)
    labels = encode_labels(data, engine.labels)
    texts: Any = data.texts if len(data.texts[0]) == 2 else [text for (text,) in data.texts]
    if device is None:
        parts = [engine.predict(texts[i : i + _CHUNK]) for i in range(0, len(texts), _CHUNK)]
        logits = np.concatenate(parts)
    else:
        session = session_settings(folder, manifest)
        rows = engine.encode(texts)
        logits = device.logits(folder / MODEL_FILE, rows, session=session, pad_id=engine.pad_id)
    return metric(manifest.metric_name)(logits, labels)


def encode_labels(data: LabelledTexts, names: Sequence[str]) -> npt.NDArray[Any]:
    """Labels as class ids (int64) by the engine's names, or as numbers (float64) where it has one output.

    Case counts only where two names differ in nothing else. Whole numbers that are no names are class ids
    themselves. Raises DataError naming the first label
    that fits neither.
    """
    if len(names) <= 1:
        return np.array([_number(data, row, label) for row, label in enumerate(data.labels)])
    return np.array([_class_id(data, row, label, names) for row, label in enumerate(data.labels)])


def _class_id(data: LabelledTexts, row: int, label: Any, names: Sequence[str]) -> int:
    text = str(label).strip()
    if text in names:
        return names.index(text)
    alike = [index for index, name in enumerate(names) if name.casefold() == text.casefold()]
    if len(alike) == 1:
        return alike[0]
    whole = re.fullmatch(r"(\d+)(?:\.0*)?", text)
    if whole and int(whole[1]) < len(names):
        return int(whole[1])
    raise DataError(
        f"{data.source}, row {row + 1}: label {label!r} is not one of the engine's; "
        f"permitted: {', '.join(names)}, or 0 to {len(names) - 1}."
    )


def _number(data: LabelledTexts, row: int, label: Any) -> float:
    try:
        return float(label)
    except (TypeError, ValueError):
        raise DataError(
            f"{data.source}, row {row + 1}: label {label!r} is no number, and the engine gives numbers."
        ) from None
