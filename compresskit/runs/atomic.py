"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from compresskit.errors import RunError

_FULL = {errno.ENOSPC, errno.EDQUOT}


def is_temporary(name: str) -> bool:
    """Whether a file of this name is what a killed `atomic_path` left behind."""
    return name.startswith(".") and name.endswith(".part")


def write_error(path: Path, error: OSError) -> RunError:
    """The user's version of an OSError met while writing `path`."""
    if error.errno in _FULL:
        return RunError(
            f"no space left on the device while writing {path}; nothing half-written was kept. "
            "Free some space, then run the same command again (with --resume for a search)."
        )
    return RunError(f"cannot write {path}: {error.strerror or error}. Check that the folder is writable.")


@contextlib.contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A temporary path beside `path` for the caller to write; renamed to `path` on success.

    The file is synced before the rename. On any failure the temporary file is removed and what
    stood at `path` is untouched; an OSError becomes a RunError.
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
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_atomic(path: Path | str, data: bytes | str) -> None:
    """Write `data` (text as UTF-8) to `path`, whole. Raises RunError when the disk refuses."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
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
