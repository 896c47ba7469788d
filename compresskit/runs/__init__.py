"""The run directory: what a search writes, record by record, and reads back to resume."""

from compresskit.runs.atomic import atomic_path, write_atomic
from compresskit.runs.directory import RUN_VERSION, RunDirectory
from compresskit.runs.records import Front, FrontPoint, TrialRecord

__all__ = [
    "RUN_VERSION",
    "Front",
    "FrontPoint",
    "RunDirectory",
    "TrialRecord",
    "atomic_path",
    "write_atomic",
]
