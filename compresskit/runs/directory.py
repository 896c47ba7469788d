"""RUN/: run.json, supernet/, points/, tests/, and the files of `_FILES`."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compresskit.closing import Closing
from compresskit.errors import RunError
from compresskit.runs.atomic import is_temporary, write_atomic, write_error
from compresskit.runs.changes import CHANGES, EXAMPLES
from compresskit.runs.fields import Fields, read_object
from compresskit.runs.jsonl import append_record, read_records
from compresskit.runs.lock import RunLock
from compresskit.runs.records import Front, TrialRecord
from compresskit.runs.schema import (
    LatencyConditions,
    LatencyLine,
    RunBlueprint,
    RunFingerprints,
    RunInfo,
    RunSettings,
    SpeedUpFields,
)
from compresskit.runs.tested import TESTS, read_tested

RUN_VERSION = 1
GO_ON = "Continue its search with --resume; if that does not write it, restore the file or use --force."
_FILES = (
    "trials.jsonl",
    "rungs.jsonl",
    "latencies.jsonl",
    "baselines.json",
    "pareto.json",
    CHANGES,
    EXAMPLES,
    "bench.json",
    "report.html",
    "run.json",
)


class RunDirectory(Closing):
    """One search on disk. Files are written whole and renamed; records are appended and synced.

    A directory that was created or opened with `writable=True` is locked until `close`, so that
    two processes never write to one run; it is a context manager.
    """

    def __init__(self, path: Path, info: dict[str, Any], lock: RunLock | None) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._info = self._named(info)
        self._lock = lock

    @staticmethod
    def check_new(path: Path | str, *, force: bool = False) -> None:
        """Raise RunError where no new run may be written, as `create` does."""
        path = Path(path)
        if path.exists() and not path.is_dir():
            raise RunError(f"{path} is a file; --output must name a new or empty folder, or a run.")
        if (path / "run.json").exists():
            if force:
                return
            raise RunError(
                f"{path} already holds a run. Continue it with --resume, start again with --force "
                "(which deletes it), or choose another --output."
            )
        children = [child.name for child in path.iterdir()] if path.exists() else []
        if any(name != ".lock" and not is_temporary(name) for name in children):
            raise RunError(f"{path} is not empty and not a run; choose a new or empty folder for --output.")

    @classmethod
    def create(
        cls, path: Path | str, settings: Mapping[str, Any], *, force: bool = False, **fields: Any
    ) -> RunDirectory:
        """A new run in `path` with the `settings` (JSON values) it was asked for, and `fields` beside them.

        Raises RunError where a run stands already, unless `force` (its files are then removed),
        and where the folder holds anything else, which is never removed.
        """
        path = Path(path)
        cls.check_new(path, force=force)
        children = [child.name for child in path.iterdir()] if path.exists() else []
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = RunLock(path)
        except OSError as error:
            raise write_error(path, error) from error
        info = {"version": RUN_VERSION, "status": "created", "settings": dict(settings), **fields}
        run = cls(path, info, lock)
        try:
            # run.json goes last: a removal that is cut short still leaves a run that --force can remove.
            for folder in ("supernet", "points", TESTS):
                shutil.rmtree(path / folder, ignore_errors=True)
            for name in (*filter(is_temporary, children), *_FILES):
                (path / name).unlink(missing_ok=True)
            run.write_json("run.json", run._info)
        except BaseException:
            run.close()
            raise
        return run

    @classmethod
    def open(cls, path: Path | str, *, writable: bool = False) -> RunDirectory:
        """The run in `path`. Raises RunError when there is none, it is damaged, or of another version."""
        path = Path(path)
        file = path / "run.json"
        if not file.is_file():
            raise RunError(f"{path} is not a run: it has no run.json. Create one with `compresskit search`.")
        try:
            lock = RunLock(path) if writable else None
        except OSError as error:
            raise write_error(path, error) from error
        try:
            run = cls(path, _read_info(file), lock)
            if writable:
                run._remove_left_behind()
            return run
        except BaseException:
            if lock is not None:
                lock.release()
            raise

    def _remove_left_behind(self) -> None:
        """Half-written files of a writer that was killed."""
        for folder in (self.path, self.supernet):
            for left in folder.glob(".*.part"):
                with contextlib.suppress(OSError):
                    left.unlink()

    def close(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def info(self) -> Mapping[str, Any]:
        """The contents of run.json."""
        return self._info

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the run was asked for when it was created."""
        settings: Mapping[str, Any] = self._info["settings"]
        return settings

    @property
    def supernet(self) -> Path:
        """The folder of the super-network; training makes it."""
        return self.path / "supernet"

    def update(self, **fields: Any) -> None:
        """Set `fields` in run.json."""
        info = {**self._info, **fields}
        self.write_json("run.json", info)
        self._info = self._named(info)

    def _named(self, info: Mapping[str, Any]) -> Fields:
        """`info` as it would be read again: a missing key is reported with its file."""
        named = Fields(info)
        named.where, named.remedy = str(self.path / "run.json"), GO_ON
        return named

    def append_trial(self, record: TrialRecord) -> None:
        append_record(self.path / "trials.jsonl", record.to_json())

    def trials(self) -> list[TrialRecord]:
        """All recorded trials in order.

        A truncated last line is dropped and noted in `warnings`; any other damage raises RunError
        naming the line.
        """
        file = self.path / "trials.jsonl"
        return [_trial(file, number, value) for number, value in enumerate(self._records(file), start=1)]

    def append_latency(self, record: Mapping[str, Any]) -> None:
        append_record(self.path / "latencies.jsonl", record)

    def latencies(self) -> list[Fields]:
        """The latency measurements in order, of each key the last; damage is treated as in `trials`."""
        records = self._records(self.path / "latencies.jsonl", LatencyLine)
        for record in records:
            record.get("conditions", Fields()).check(LatencyConditions)
            for found in (record.get("speedup"), *record.get("looks", ())):
                (found or Fields()).check(SpeedUpFields)
        return list({record["key"]: record for record in records}.values())

    def _records(self, file: Path, kind: type | None = None) -> list[Fields]:
        records, warning = read_records(file, kind)
        if warning is not None and warning not in self.warnings:
            self.warnings.append(warning)
        return records

    def write_json(self, name: str, value: Any) -> None:
        """Write `value` to RUN/`name`, whole. Raises RunError when the disk refuses."""
        write_atomic(self.path / name, json.dumps(value, indent=2, allow_nan=False) + "\n")

    def write_front(self, front: Front) -> None:
        self.write_json("pareto.json", front.to_json())

    def front(self) -> Front:
        """The front of this run, with what exports found on the test set.

        Raises RunError when the search has not written one yet, and for damaged files.
        """
        file = self.path / "pareto.json"
        if not file.exists():
            raise RunError(f"{self.path} has no front yet; continue its search with --resume.")
        value = read_object(file, remedy="Remove it, then let the search write it again with --resume.")
        try:
            return Front.from_json(value).tested(read_tested(self.path))
        except RunError as error:
            raise RunError(f"{file} is damaged: {error} {value.remedy}") from None


def _trial(file: Path, number: int, value: Mapping[str, Any]) -> TrialRecord:
    try:
        return TrialRecord.from_json(value)
    except RunError as error:
        raise RunError(f"{file}, line {number}, is not a trial: {error}") from None


def _read_info(file: Path) -> Fields:
    info = read_object(file)
    if "version" not in info:
        raise RunError(f"{file} is damaged: 'version' is missing. {info.remedy}")
    if info["version"] != RUN_VERSION:
        raise RunError(
            f"{file.parent} is a run of version {info['version']!r}; this compresskit reads version "
            f"{RUN_VERSION}. Use the compresskit that made it, or start again with --force."
        )
    info = read_object(file, RunInfo)
    info["settings"].check(RunSettings)  # missing ones are an error, too
    info.get("blueprint", Fields()).check(RunBlueprint)
    (info.get("fingerprints") or Fields()).check(RunFingerprints)
    return info
