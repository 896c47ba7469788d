"""Exports that several tests look at: tracing takes seconds, so each is made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest
from onnx import ModelProto
from torch import nn

from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.families import Blueprint
from compresskit.supernet.surgery import blueprint_of
from tests.engine.models import make_model


@dataclass(frozen=True, eq=False)
class Exported:
    model: nn.Module
    plain: ModelProto
    blueprint: Blueprint
    slicer: GraphSlicer


@cache
def _export(model_type: str) -> Exported:
    model = make_model(model_type)
    blueprint = blueprint_of(model)
    plain = export_onnx(model)
    return Exported(model, plain, blueprint, GraphSlicer(plain, blueprint))


@pytest.fixture(scope="session")
def exported() -> Callable[[str], Exported]:
    """The export of a tiny model of a type; do not change what it holds."""
    return _export
