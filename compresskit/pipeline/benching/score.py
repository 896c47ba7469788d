"""The metric of an engine, computed by that engine in ONNX Runtime; no torch is needed."""

from __future__ import annotations

from pathlib import Path

from compresskit.bundle import Manifest, load_engine
from compresskit.bundle.batching import run_rows
from compresskit.bundle.loader import MODEL_FILE, session_settings
from compresskit.display import UNCOUNTED, Counter
from compresskit.target.profile import Profile
from compresskit.target.remote_bench import RemoteBench
from compresskit.tasks.base import Examples


def score_engine(
    folder: Path,
    manifest: Manifest,
    data: Examples,
    profile: Profile,
    device: RemoteBench | None = None,
    counter: Counter = UNCOUNTED,
) -> float:
    """The engine's own metric on all rows of `data`, as a fraction; computed on `device` if there is one."""
    engine = load_engine(folder, provider=profile.scoring_provider, threads=profile.threads)
    rows = engine.encode(data.inputs)
    if device is None:
        logits = run_rows(engine.session, rows, inputs=engine.inputs, counter=counter)
    else:
        session = session_settings(folder, manifest)
        logits = device.logits(folder / MODEL_FILE, rows, session=session, inputs=engine.inputs)
    return engine.kind.score(engine.kind.predictions(logits, rows), data.labels)
