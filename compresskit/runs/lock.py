"""One writer to a run at a time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from compresskit.errors import RunError


class RunLock:
    """An exclusive lock on a folder; the system drops it when its process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._handle: int | None = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        if sys.platform == "win32":
            return
        import fcntl

        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.release()
            raise RunError(
                f"another process is writing to {folder}. Wait for it to end, or choose another --output."
            ) from None

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
