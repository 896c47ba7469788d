"""Graphs as files that a worker loads quickly: large weights beside the graph, in memory where there is room.

ONNX Runtime maps weights that lie in a file of their own and packs them from there; weights within a graph
are parsed and copied first. Memory that was not in use before costs more than the copy itself, so one file
is mapped and written over for each graph, and a weight that stands in its place already is left there.
"""

from __future__ import annotations

import mmap
import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from compresskit.errors import DiskFullError, TargetError
from compresskit.exhausted import is_disk_full
from compresskit.target.base import Model
from compresskit.target.external_weights import Array, LightGraph, without_weights

if TYPE_CHECKING:
    from onnx import ModelProto

_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 (used through mkdtemp alone)
_PREFIX = "compresskit-staged-"
_GRAPH, _WEIGHTS = "model.onnx", "weights.bin"
_ALIGNMENT = 4096  # each weight starts a page, so that it can be mapped
_SPARE_BYTES = 1 << 20


class Staging:
    """Room for one graph at a time."""

    def __init__(self) -> None:
        self._rooms: dict[Path, _Room] = {}
        self._finalizer = weakref.finalize(self, _close_all, self._rooms)

    def put(self, model: Model | ModelProto | LightGraph) -> Path:
        """The file that holds `model`, good until the next `put`; a path is given back as it is.

        Raises DiskFullError when neither memory nor the temporary folder has room: no graph's fault.
        """
        if isinstance(model, Path):
            return model
        if isinstance(model, bytes):
            return self._write(model, [])
        from onnx import TensorProto

        given = model if isinstance(model, LightGraph) else LightGraph(model, {})
        light = without_weights(given.model)
        apart = {**given.weights, **light.weights}
        stubs = [tensor for tensor in light.model.graph.initializer if tensor.name in apart]
        weights = [apart[tensor.name] for tensor in stubs]
        for tensor, weight, offset in zip(stubs, weights, offsets_of(weights), strict=True):
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (("location", _WEIGHTS), ("offset", offset), ("length", weight.nbytes)):
                tensor.external_data.add(key=key, value=str(value))
        return self._write(light.model.SerializeToString(), weights)

    def close(self) -> None:
        _close_all(self._rooms)

    def _write(self, graph: bytes, weights: Sequence[Array]) -> Path:
        room = self._room_for(len(graph) + sum(weight.nbytes for weight in weights))
        try:
            return room.write(graph, weights)
        except OSError as error:
            kind = DiskFullError if is_disk_full(error) else TargetError
            raise kind(f"cannot write a graph into {room.folder}: {error}; free some space there.") from None

    def _room_for(self, size: int) -> _Room:
        bases = [base for base in (_MEMORY_FOLDER, Path(tempfile.gettempdir())) if base.is_dir()]
        for base in bases:
            held = self._rooms[base].size if base in self._rooms else 0
            # Twice, for what lies in memory is taken from the worker's own.
            if shutil.disk_usage(base).free + held > 2 * size + _SPARE_BYTES:
                if base not in self._rooms:
                    _remove_left_behind(base)
                    self._rooms[base] = _Room(base)
                return self._rooms[base]
        raise DiskFullError(
            f"a graph of {size / 2**20:.0f} MiB does not fit into {' or '.join(map(str, bases))}; free some "
            "space, or set TMPDIR to a folder with more."
        )


class _Room:
    """A folder with a graph's file and the mapped file of its weights."""

    def __init__(self, base: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))
        self.size = 0
        self._file = (self.folder / _WEIGHTS).open("w+b")
        self._map: mmap.mmap | None = None
        self._standing: dict[int, Array] = {}

    def write(self, graph: bytes, weights: Sequence[Array]) -> Path:
        offsets = offsets_of(weights)
        self._grow(offsets[-1] + weights[-1].nbytes if weights else 0)
        standing: dict[int, Array] = {}
        for offset, weight in zip(offsets, weights, strict=True):
            if self._standing.get(offset) is not weight:
                assert self._map is not None
                place = np.frombuffer(self._map, weight.dtype, weight.size, offset).reshape(weight.shape)
                np.copyto(place, weight)
                del place  # a map that is looked at cannot be closed
            if not weight.flags.writeable:  # it is what it was the next time as well
                standing[offset] = weight
        self._standing = standing
        path = self.folder / _GRAPH
        path.write_bytes(graph)
        return path

    def _grow(self, size: int) -> None:
        if size <= self.size:
            return
        self._unmap()
        size += size // 4  # the next graph may be larger
        # A page for which there is no memory would kill the process that writes to it.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._file.fileno(), 0, size)
        else:
            self._file.truncate(size)
        self._map = mmap.mmap(self._file.fileno(), size)
        self.size = size

    def _unmap(self) -> None:
        self._standing = {}
        if self._map is not None:
            self._map.close()
            self._map = None

    def close(self) -> None:
        self._unmap()
        self._file.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def offsets_of(weights: Sequence[Array]) -> list[int]:
    """Where each of `weights` starts in their file, bytes."""
    offsets, end = [], 0
    for weight in weights:
        offsets.append(end)
        end += -(-weight.nbytes // _ALIGNMENT) * _ALIGNMENT
    return offsets


def _close_all(rooms: dict[Path, _Room]) -> None:
    while rooms:
        _, room = rooms.popitem()
        room.close()


def _remove_left_behind(base: Path) -> None:
    """What processes that were killed have left there."""
    for left in base.glob(f"{_PREFIX}*"):
        owner = left.name[len(_PREFIX) :].partition("-")[0]
        with suppress(OSError, ValueError):
            if not psutil.pid_exists(int(owner)):
                shutil.rmtree(left, ignore_errors=True)
