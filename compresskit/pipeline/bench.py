"""Engines side by side on a device: speed, memory, size, and accuracy where there is data. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from compresskit.bundle.loader import graph_file, session_settings
from compresskit.bundle.manifest import Manifest, file_hash, verify
from compresskit.bundle.runtime import check_runtime
from compresskit.display import SILENT, Display, Say, display_of
from compresskit.errors import ConfigurationError, EngineError
from compresskit.pipeline.benching.data import LabelledRows, read_for
from compresskit.pipeline.benching.history import append_history, changes_since, read_history
from compresskit.pipeline.benching.result import BenchResult, EngineResult, disagreement
from compresskit.pipeline.benching.score import Scored, intervals_of, score_engine
from compresskit.report.files import BENCH_FORMATS, check_format, write_bench
from compresskit.target.base import SessionSettings
from compresskit.target.compare import compare
from compresskit.target.comparison_result import EngineMeasurement
from compresskit.target.decide import Limit
from compresskit.target.profile import Profile, load_profile
from compresskit.target.reference_level import Level
from compresskit.target.remote_bench import RemoteBench
from compresskit.target.runner import EngineToMeasure
from compresskit.target.threads import thread_warnings
from compresskit.tasks.examples import DataOptions

DEFAULT_PROFILE = "cpu-1-thread"


@dataclass(frozen=True)
class Contender:
    """An engine folder with its manifest, or a bare ONNX file."""

    path: Path
    model: Path
    manifest: Manifest | None

    @property
    def session(self) -> SessionSettings | None:
        return session_settings(self.path, self.manifest) if self.manifest else None

    @property
    def size_bytes(self) -> int:
        """Bytes of the graph and of the files beside it that hold its weights."""
        parts = self.model.parent.glob(f"{self.model.name}*")
        return sum(part.stat().st_size for part in parts)


def bench(
    engines: Sequence[Path | str],
    *,
    baseline: Path | str | None = None,
    profile: Profile | str | Path | None = None,
    dataset: Path | str | None = None,
    text_columns: Sequence[str] = (),
    label_column: str | None = None,
    report: Sequence[Path | str] = (),
    history: Path | str | None = None,
    limits: Sequence[Limit] = (),
    say: Say | Display = SILENT,
) -> BenchResult:
    """Measure `engines` (engine folders or ONNX files) in turn, each in a fresh process.

    With an address in the profile all of it happens on the device behind it. Ratios are against `baseline`,
    by default the first of several engines. `profile` is by default the one that the first engine was made
    for. With `dataset` each engine folder is scored on it. `report` names .html, .md and .json files to
    write, `history` a file of earlier results to compare with. With `limits` on speed-ups and latencies,
    measuring goes on until they are decided, up to three times as long.
    Raises EngineError for a folder that is damaged or no engine, ConfigurationError, DataError,
    TargetError.
    """
    display = display_of(say)
    reports = [Path(path) for path in report]
    for path in reports:
        check_format(path, BENCH_FORMATS)
    contenders = [open_contender(path) for path in _all_paths(engines, baseline)]
    chosen = _profile(profile, contenders)
    data = None
    if dataset is not None:
        kinds = [item.manifest.kind if item.manifest else None for item in contenders]
        data = read_for(kinds, dataset, DataOptions(tuple(text_columns), label_column))
        for note in data.notes:
            say(f"data: {note}")
    earlier = read_history(Path(history)) if history is not None else []
    base = Path(baseline) if baseline is not None else contenders[0].path if len(contenders) > 1 else None
    display(f"measuring {len(contenders)} engine(s) under profile {chosen.name}")
    with _device(chosen, display) as device:
        result = _measure(contenders, chosen, base, device, limits, display)
        if data is not None:
            result = _scored(result, contenders, chosen, data, device, display)
    result = replace(result, changes=tuple(changes_since(earlier, result.to_json())))
    if history is not None:
        append_history(Path(history), result.to_json())
    for path in reports:
        write_bench(result.to_json(raw=path.suffix == ".json"), path)
        display(f"wrote {path}")
    return result


def open_contender(path: Path | str) -> Contender:
    """The engine in `path`, its hashes verified. Raises EngineError when it is none or is damaged."""
    path = Path(path)
    if path.is_dir():
        manifest = verify(path)
        return Contender(path, graph_file(path), manifest)
    if not path.is_file():
        raise EngineError(f"{path} does not exist; give an engine folder or an ONNX file.")
    if path.suffix != ".onnx":
        raise EngineError(f"{path} is neither an engine folder nor an .onnx file.")
    return Contender(path, path, None)


def _all_paths(engines: Sequence[Path | str], baseline: Path | str | None) -> list[Path]:
    paths = [Path(path) for path in engines]
    if baseline is not None and Path(baseline) not in paths:
        paths.insert(0, Path(baseline))
    if not paths:
        raise ConfigurationError("bench needs one engine or more.")
    twice = sorted({str(path) for path in paths if paths.count(path) > 1})
    if twice:
        raise ConfigurationError(f"{', '.join(twice)} is given twice; give each engine once.")
    return paths


def _profile(given: Profile | str | Path | None, contenders: Sequence[Contender]) -> Profile:
    """What is asked for; what it leaves to the data is as in the first engine that says it."""
    chosen = _asked(given, contenders)
    for manifest in (item.manifest for item in contenders if item.manifest):
        chosen = chosen.filled(manifest.kind.request_sizes)
    return chosen


def _asked(given: Profile | str | Path | None, contenders: Sequence[Contender]) -> Profile:
    if isinstance(given, Profile):
        return given
    if given is not None:
        return load_profile(given)
    manifest = contenders[0].manifest
    stored = manifest.lineage.get("profile") if manifest else None
    return Profile.from_json(stored) if isinstance(stored, dict) else load_profile(DEFAULT_PROFILE)


def _scored(
    result: BenchResult,
    contenders: Sequence[Contender],
    profile: Profile,
    data: LabelledRows,
    device: RemoteBench | None,
    display: Display,
) -> BenchResult:
    scored: list[Scored | None] = []
    warnings = list(result.warnings)
    for engine, contender, own in zip(result.engines, contenders, data.of, strict=True):
        manifest = contender.manifest
        if manifest is None or own is None:
            warnings.append(f"{engine.name} is a bare ONNX file without a tokenizer: it was not scored.")
            scored.append(None)
            continue
        with display.stage(f"scoring {engine.name}", len(own), "rows") as counter:
            scored.append(score_engine(contender.path, manifest, own, profile, device, counter))
    baseline = next((place for place, engine in enumerate(result.engines) if engine.is_baseline), None)
    with display.stage("intervals of the metric"):
        known = intervals_of(scored, baseline)
    engines = tuple(
        engine if own is None or ends is None else engine.scored(own.kind.metric_name, own.metric, ends)
        for engine, own, ends in zip(result.engines, scored, known, strict=True)
    )
    return replace(result, engines=engines, warnings=tuple(warnings))


def _device(profile: Profile, say: Say) -> AbstractContextManager[RemoteBench | None]:
    """The device behind the profile's address; None where this machine is it."""
    if profile.address is None:
        return nullcontext()
    return RemoteBench(profile, say=say)


def _measure(
    contenders: Sequence[Contender],
    profile: Profile,
    baseline: Path | None,
    device: RemoteBench | None,
    limits: Sequence[Limit],
    display: Display,
) -> BenchResult:
    version = None if device is None else str(device.conditions()["onnxruntime"])
    for item in contenders:
        if item.manifest:
            check_runtime(item.path, item.manifest, item.model, version=version)
    asked = [
        EngineToMeasure(str(item.path), item.model, item.session, item.size_bytes) for item in contenders
    ]
    against = None if baseline is None else str(baseline)
    if device:
        with display.stage("measuring on the device"):
            found = device.compare(asked, against, limits=limits)
    else:
        found = compare(asked, profile, against, level=_level(contenders), limits=limits, display=display)
        found = replace(found, warnings=(*thread_warnings(profile), *found.warnings))
    engines = tuple(
        _engine_result(contender, contender.path == baseline, measured)
        for contender, measured in zip(contenders, found.measurements, strict=True)
    )
    settings = {**profile.to_json(), "key": profile.key()}
    warnings = (*found.warnings, *filter(None, map(disagreement, engines)))
    return BenchResult(engines, found.ratios, settings, found.conditions, warnings, marks=found.marks)


def _level(contenders: Sequence[Contender]) -> Level | None:
    """The state of the machine that the search behind the engines corrected its latencies to."""
    for contender in contenders:
        lineage = contender.manifest.lineage if contender.manifest else {}
        if lineage.get("reference_level_ms") and lineage.get("conditions"):
            level_ms, key = float(lineage["reference_level_ms"]), str(lineage["conditions"])
            return Level(level_ms, key, lineage.get("reference") or "")
    return None


def _engine_result(contender: Contender, is_baseline: bool, measured: EngineMeasurement) -> EngineResult:
    result = EngineResult(**vars(measured), is_baseline=is_baseline, sha256=file_hash(contender.model))
    if (manifest := contender.manifest) is None:
        return result
    return replace(
        result,
        signature=manifest.signature,
        precision=manifest.precision,
        num_params=manifest.num_params,
        macs=manifest.macs,
        recorded_ms=manifest.lineage.get("latency_ms"),
    )
