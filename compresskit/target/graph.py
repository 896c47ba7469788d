"""Inputs and size of a serialized ONNX graph, read without touching its weights.

A full parse copies every weight, which costs more than making the session of a small candidate; the
wire format lets a reader step over them. https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from compresskit.errors import TargetError
from compresskit.target.base import Model

# TensorProto.DataType -> numpy name, for what a text model's inputs may be.
_TYPES = {1: "float32", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}
# Bytes an element of a weight takes, where it is not 4.
_ITEM_BYTES = {2: 1, 3: 1, 4: 2, 5: 2, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2}

_Read = TypeVar("_Read")


@dataclass(frozen=True)
class GraphInput:
    """An input that must be fed. A dimension is a size, a name, or "" where it is not given."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    # Rows of the table that this input indexes (its vocabulary), where one is found.
    rows: int | None = None


def read_inputs(model: Model) -> list[GraphInput]:
    """The inputs of `model` that no initializer fills. Raises TargetError for what is not ONNX."""
    return _reading(model, _graph_inputs)


def weight_bytes(model: Model) -> int:
    """What the weights take that a run reads whole: all but tables, of which `Gather` takes some rows.

    Raises TargetError for what is not ONNX.
    """
    return _reading(model, _weight_bytes)


def _reading(model: Model, read: Callable[[memoryview], _Read]) -> _Read:
    if isinstance(model, bytes):
        return _checked(memoryview(model), read)
    try:
        with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            view = memoryview(data)
            try:
                return _checked(view, read)
            finally:
                view.release()
    except (OSError, ValueError) as error:
        raise TargetError(f"cannot read {model}: {error}; give an ONNX file.") from None


def _checked(data: memoryview, read: Callable[[memoryview], _Read]) -> _Read:
    try:
        return read(data)
    except (IndexError, ValueError, KeyError, UnicodeDecodeError) as error:
        raise TargetError(f"the model is not an ONNX graph with tensor inputs ({error!r}).") from None


def _graph_of(data: memoryview) -> Span:
    graphs = [bytes_ for number, bytes_ in _fields(data) if number == 7 and isinstance(bytes_, Span)]
    if not graphs:
        raise ValueError("no graph")
    return graphs[-1]


def _weight_bytes(data: memoryview) -> int:
    sizes: dict[str, int] = {}
    tables: set[str] = set()
    for number, value in _fields(data, _graph_of(data)):
        if number == 1 and isinstance(value, Span):
            node = _node(data, value)
            tables.update(node.inputs[:1] if node.is_lookup else ())
        elif number == 5 and isinstance(value, Span):
            name, dims, kind = _initializer(data, value)
            sizes[name] = math.prod(dims) * _ITEM_BYTES.get(kind, 4)
    return sum(size for name, size in sizes.items() if name not in tables)


def _graph_inputs(data: memoryview) -> list[GraphInput]:
    sizes: dict[str, tuple[int, ...]] = {}
    values: list[Span] = []
    tables: dict[str, str] = {}
    reshaped: dict[str, str] = {}
    for number, value in _fields(data, _graph_of(data)):
        if not isinstance(value, Span):
            continue
        if number == 1:
            node = _node(data, value)
            if node.kind == "Reshape" and node.outputs:  # what a model folds into rows of tokens
                reshaped[node.outputs[0]] = node.inputs[0]
            elif node.is_lookup:
                table, index = node.inputs
                tables.setdefault(reshaped.get(index, index), table)
        elif number == 5:
            name, dims, _ = _initializer(data, value)
            sizes[name] = dims
        elif number == 11:
            values.append(value)
    found = [_value_info(data, value) for value in values]
    return [
        GraphInput(name, dtype, shape, sizes[tables[name]][0] if sizes.get(tables.get(name, "")) else None)
        for name, dtype, shape in found
        if name not in sizes
    ]


@dataclass(frozen=True)
class Span:
    """Where a length-delimited field lies."""

    start: int
    stop: int


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("overlong number")


def _fields(data: memoryview, span: Span | None = None) -> Iterator[tuple[int, int | Span]]:
    at, stop = (span.start, span.stop) if span else (0, len(data))
    while at < stop:
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > stop:
            raise ValueError("cut short")
        yield tag >> 3, Span(at, at + size)
        at += size


def _text(data: memoryview, span: Span) -> str:
    return bytes(data[span.start : span.stop]).decode("utf-8")


def _initializer(data: memoryview, span: Span) -> tuple[str, tuple[int, ...], int]:
    """Name, dimensions and TensorProto.DataType."""
    name, dims, kind = "", [], 0
    for number, value in _fields(data, span):
        if number == 1 and isinstance(value, int):
            dims.append(value)
        elif number == 1 and isinstance(value, Span):  # packed
            at = value.start
            while at < value.stop:
                size, at = _varint(data, at)
                dims.append(size)
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 8 and isinstance(value, Span):
            name = _text(data, value)
    return name, tuple(dims), kind


@dataclass(frozen=True)
class _Node:
    kind: str
    inputs: list[str]
    outputs: list[str]

    @property
    def is_lookup(self) -> bool:
        return self.kind == "Gather" and len(self.inputs) == 2


def _node(data: memoryview, span: Span) -> _Node:
    named: dict[int, list[str]] = {1: [], 2: [], 4: []}
    for number, value in _fields(data, span):
        if number in named and isinstance(value, Span):
            named[number].append(_text(data, value))
    return _Node("".join(named[4]), named[1], named[2])


def _value_info(data: memoryview, span: Span) -> tuple[str, str, tuple[int | str, ...]]:
    name, dtype, shape = "", "", []
    for number, value in _fields(data, span):
        if number == 1 and isinstance(value, Span):
            name = _text(data, value)
        elif number == 2 and isinstance(value, Span):
            (tensor,) = (part for one, part in _fields(data, value) if one == 1 and isinstance(part, Span))
            for inner, part in _fields(data, tensor):
                if inner == 1 and isinstance(part, int):
                    dtype = _TYPES[part]
                elif inner == 2 and isinstance(part, Span):
                    shape = [
                        _dimension(data, dim) for one, dim in _fields(data, part) if isinstance(dim, Span)
                    ]
    return name, dtype, tuple(shape)


def _dimension(data: memoryview, span: Span) -> int | str:
    for number, value in _fields(data, span):
        if number == 1 and isinstance(value, int):
            return value
        if number == 2 and isinstance(value, Span):
            return _text(data, value)
    return ""
