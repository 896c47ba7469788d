"""Files and folders that are written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from compresskit.errors import DiskFullError, RunError
from compresskit.exhausted import is_disk_full


def is_temporary(name: str) -> bool:
    """Whether a file of this name is what a killed `atomic_path` left behind."""
    return name.startswith(".") and name.endswith(".part")


def write_error(path: Path, error: BaseException, *, written: Path | None = None) -> RunError:
    """The user's version of an error met while writing `path`; `written` is what is there of it so far."""
    if is_disk_full(error):
        return DiskFullError(
            f"no space left on the device while writing {path}{_figures(path.parent, written)}; nothing "
            "half-written was kept. Free some space, then run the same command again (with --resume for a "
            "search)."
        )
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return RunError(f"cannot write {path}: {reason}. Check that the folder is writable.")


@contextlib.contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A temporary path beside `path` for the caller to write; renamed to `path` on success.

    The file is synced before the rename. On any failure the temporary file is removed and what
    stood at `path` is untouched; an OSError becomes a RunError, and so does a full disk in whatever
    words a library has for it (DiskFullError).
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        _sync(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        temporary = None
        _sync_folder(path.parent)
    except Exception as error:
        if isinstance(error, RunError) or not (isinstance(error, OSError) or is_disk_full(error)):
            raise
        raise write_error(path, error, written=temporary) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """A new folder beside `path` for the caller to fill; it takes the place of `path` on success.

    All its files are synced before. What a killed writer left beside `path` goes first; failures are
    as in `atomic_path`.
    """
    path = Path(path)
    part, replaced = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.replaced")
    try:
        for left in (part, replaced):
            shutil.rmtree(left, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        sync_tree(part)
        if path.exists():
            path.rename(replaced)
        part.rename(path)
        _sync_folder(path.parent)
        shutil.rmtree(replaced, ignore_errors=True)
    except Exception as error:
        if isinstance(error, RunError) or not (isinstance(error, OSError) or is_disk_full(error)):
            raise
        raise write_error(path, error, written=part) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_atomic(path: Path | str, data: bytes | str) -> None:
    """Write `data` (text as UTF-8) to `path`, whole. Raises RunError when the disk refuses."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


def sync_tree(folder: Path) -> None:
    """Have all files below `folder`, and the folders that name them, reach the disk."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            _sync(Path(parent, name))
        _sync_folder(Path(parent))


def _figures(folder: Path, written: Path | None) -> str:
    """How much was written and how much is free, as far as that is known."""
    said = []
    with contextlib.suppress(OSError):
        if written is not None:
            files = (
                [written] if written.is_file() else [each for each in written.rglob("*") if each.is_file()]
            )
            said.append(f"{sum(each.stat().st_size for each in files):,} bytes of it were written")
    with contextlib.suppress(OSError):
        said.append(f"{shutil.disk_usage(folder).free:,} bytes are free in {folder}")
    return f" ({', '.join(said)})" if said else ""


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value


def _sync(path: Path) -> None:
    # A copy of an archived file may be read-only; Windows syncs what is open for writing alone.
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
