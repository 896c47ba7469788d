"""Graphs that passed the guard, as files that load: one-time candidates, and kept references and engines."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from compresskit.errors import TargetError
from compresskit.target.agent.guard import Guard
from compresskit.target.agent.limits import Limits
from compresskit.target.agent.protocol import BodyPart

_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 (used through mkdtemp alone)
_MOST_KEPT = 8


class MissingGraphError(TargetError):
    """A kept graph was asked for that is not there."""


class Graphs:
    """Has graphs checked and filled in, and knows where they lie."""

    def __init__(self, guard: Guard, limits: Limits, folder: Path) -> None:
        self._guard = guard
        self._limits = limits
        self._folder = folder
        self._kept: OrderedDict[str, Path] = OrderedDict()

    @contextlib.contextmanager
    def once(self, source: Path, part: BodyPart) -> Iterator[Path]:
        """The graph in `part` of the file `source`, for as long as the block runs.

        Its weights are written into memory where there is plenty: a flash disk is slow, and wears.
        """
        bases = [base for base in (_MEMORY_FOLDER, self._folder) if base.is_dir()]
        folders = [tempfile.mkdtemp(prefix=self._folder.name + "-", dir=base) for base in bases]
        try:
            yield self._accept(source, part, folders)
        finally:
            for name in folders:
                shutil.rmtree(name, ignore_errors=True)

    def keep(self, source: Path, part: BodyPart) -> tuple[str, Path]:
        """(digest, path) of the graph in `part`; checked once, and kept until others have pushed it out."""
        digest = _digest(source, part)
        path = self.find(digest)
        if path is None:
            folder = tempfile.mkdtemp(dir=self._folder, suffix=".graph")
            try:
                path = self._accept(source, part, [folder])
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._kept[digest] = path
            while len(self._kept) > 1 and (
                len(self._kept) > _MOST_KEPT or self._kept_bytes() > self._limits.spool_bytes
            ):
                _, oldest = self._kept.popitem(last=False)
                shutil.rmtree(oldest.parent, ignore_errors=True)
        return digest, path

    def need(self, digest: str) -> Path:
        """As `find`. Raises MissingGraphError."""
        path = self.find(digest)
        if path is None:
            raise MissingGraphError(f"engine {digest[:16]} is not on the agent; send it again.")
        return path

    def find(self, digest: str) -> Path | None:
        """Where a kept graph lies; None when it was never here, or is no more."""
        path = self._kept.get(digest)
        if path is not None:
            self._kept.move_to_end(digest)
        return path

    def _accept(self, source: Path, part: BodyPart, folders: list[str]) -> Path:
        reply = self._guard.request(
            {
                "do": "accept",
                "source": str(source),
                "offset": part.offset,
                "size": part.size,
                "folders": folders,
                "weights_limit_bytes": self._limits.memory_bytes,
            },
            self._limits.inspect_seconds,
        )
        return Path(reply["path"])

    def _kept_bytes(self) -> int:
        return sum(file.stat().st_size for path in self._kept.values() for file in path.parent.iterdir())


def _digest(source: Path, part: BodyPart) -> str:
    digest = sha256()
    with source.open("rb") as file:
        file.seek(part.offset)
        left = part.size
        while left and (chunk := file.read(min(left, 1 << 20))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()
