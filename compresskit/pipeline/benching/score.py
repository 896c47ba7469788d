"""The metric of an engine, computed by that engine in ONNX Runtime; no torch is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.bundle import Manifest, load_engine
from compresskit.bundle.batching import run_rows
from compresskit.bundle.loader import MODEL_FILE, session_settings
from compresskit.display import UNCOUNTED, Counter
from compresskit.target.profile import Profile
from compresskit.target.remote_bench import RemoteBench
from compresskit.tasks.examples import Examples
from compresskit.tasks.intervals import Known, intervals, row_groups
from compresskit.tasks.judge import Judge


@dataclass(frozen=True, eq=False)
class Scored:
    """The metric of an engine, as a fraction, and its `answers` in the form of the labels."""

    kind: Judge
    data: Examples
    answers: npt.NDArray[Any]
    metric: float

    def is_alike(self, other: Scored) -> bool:
        """Whether both answered the same rows with the same labels."""
        same = self.kind.labels == other.kind.labels
        return same and np.array_equal(self.data.labels, other.data.labels)


def score_engine(
    folder: Path,
    manifest: Manifest,
    data: Examples,
    profile: Profile,
    device: RemoteBench | None = None,
    counter: Counter = UNCOUNTED,
) -> Scored:
    """The engine's own metric on all rows of `data`, computed on `device` if there is one.

    Images are not sent to it: this machine computes theirs.
    """
    engine = load_engine(folder, provider=profile.scoring_provider, threads=profile.threads)
    rows = engine.encode(data.inputs)
    if device is None or not engine.inputs.is_light:
        logits = run_rows(engine.session, rows, inputs=engine.inputs, counter=counter)
    else:
        session = session_settings(folder, manifest)
        logits = device.logits(folder / MODEL_FILE, rows, session=session, inputs=engine.inputs)
    kind = data.judge or engine.kind
    predictions = kind.predictions(logits, rows)
    return Scored(kind, data, kind.answers(predictions), kind.score(predictions, data.labels))


def intervals_of(scored: Sequence[Scored | None], baseline: int | None) -> list[Known | None]:
    """Of the metrics, and paired with the engine at `baseline` where both answered alike rows."""
    base = None if baseline is None else scored[baseline]
    groups: dict[int, npt.NDArray[np.int64]] = {}
    found: list[Known | None] = []
    for each in scored:
        if each is None:
            found.append(None)
            continue
        if id(each.data) not in groups:
            groups[id(each.data)] = row_groups(each.data.texts, each.kind.unit)
        beside = base if base is not None and base is not each and base.is_alike(each) else None
        found += intervals(
            each.kind,
            each.data.labels,
            [each.answers],
            dense=None if beside is None else beside.answers,
            groups=groups[id(each.data)],
        )
    return found
