"""What of a run may be deleted once its points are exported, and what a run without it cannot do."""

from __future__ import annotations

import shutil
from pathlib import Path

from compresskit.errors import RunError
from compresskit.runs.atomic import write_error
from compresskit.runs.directory import RunDirectory
from compresskit.runs.schema import utc_now
from compresskit.runs.tested import read_tested

LOST = (
    "no further point of it can be exported, and no search can go on from it (--resume, --from). Its front, "
    "trials, report and exported engines stay"
)
_KEPT = "progress.jsonl"  # the curves of its report


def bulk_of(run: RunDirectory) -> list[Path]:
    """The files and folders of `run` that hold weights, checkpoints and answers of networks."""
    inside = sorted(run.supernet.glob("*")) if run.supernet.is_dir() else []
    points = run.path / "points"
    return [path for path in inside if path.name != _KEPT] + ([points] if points.is_dir() else [])


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if not path.is_dir():
        return path.lstat().st_size
    return sum(each.lstat().st_size for each in path.rglob("*") if not each.is_dir())


def check_prunable(run: RunDirectory, *, force: bool = False) -> None:
    """RunError for a search that has not ended, and unless `force` where no point was exported."""
    if run.info["status"] != "completed":
        raise RunError(
            f"the search in {run.path} has not ended, and needs its networks to go on; continue it with "
            "--resume first, or delete the folder."
        )
    if not force and not read_tested(run.path):
        raise RunError(
            f"no point of {run.path} was exported, and after this none can be; export those that you want, "
            "or give --force."
        )


def prune(run: RunDirectory) -> int:
    """Delete `bulk_of(run)`, note in run.json when, and return the bytes that were freed."""
    bulk = bulk_of(run)
    freed = sum(map(size_of, bulk))
    run.update(pruned=utc_now())  # first: a removal that is cut short leaves a run that says so
    for path in bulk:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except OSError as error:
            raise write_error(path, error) from error
    return freed


def check_whole(run: RunDirectory) -> None:
    """RunError where the networks of `run` were deleted."""
    if when := run.info.get("pruned"):
        raise RunError(
            f"the networks of {run.path} were deleted by `compresskit runs prune` ({when}): {LOST}. Search "
            "again into another folder."
        )
