"""Options of an export, as a user gives them."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from math import inf
from pathlib import Path
from typing import Annotated

from compresskit.errors import ConfigurationError, one_of
from compresskit.options.declare import Option
from compresskit.options.run import POINT, OfRun, PointLimits
from compresskit.options.told import Told

PRECISION, ENGINE = "Precision and size", "Engine"
HUGGINGFACE, TRITON = FORMATS = ("huggingface", "triton")


@dataclass(frozen=True)
class Choice(PointLimits):
    """Which point of a run; exactly one of these says so, or both limits together."""

    _: KW_ONLY
    pareto_idx: Annotated[int | None, Option("Point of the front; 0 is the fastest.", POINT)] = None
    trial: Annotated[int | None, Option("Any trial, by its id.", POINT)] = None
    dense: Annotated[bool, Option("The dense model.", POINT)] = False

    def __post_init__(self) -> None:
        constrained = self.max_drop is not None or self.max_latency_ms is not None
        if (self.pareto_idx is not None) + (self.trial is not None) + self.dense + constrained != 1:
            raise ConfigurationError(
                "name one point to export: --pareto-idx N, --trial ID, --dense, or --max-drop and "
                "--max-latency-ms."
            )


@dataclass(frozen=True)
class ExportOptions(Choice):
    """What an export of a run is asked for.

    Precision `auto` is the fastest on the profile's device that loses at most `precision_drop` points of
    validation metric. With a drop given, an int8 that loses more keeps its most sensitive layers in float.
    """

    output: Annotated[str | Path, Option("New or empty folder for the engine.", ENGINE)]
    _: KW_ONLY
    precision: Annotated[
        str | None, Option("fp32, fp16, int8, int8-static or auto.", PRECISION, default="the point's own")
    ] = None
    precision_drop: Annotated[
        float | None, Option("Points of metric x 100 that the precision may lose; 0.5 for auto.", PRECISION)
    ] = None
    embeddings: Annotated[str, Option("Word embeddings in fp32, fp16 or int8.", PRECISION)] = "fp32"
    trim_vocabulary: Annotated[
        bool, Option("Keep the tokens that training and validation texts use.", PRECISION)
    ] = False
    dims: Annotated[
        int | None,
        Option("Numbers of a vector (task embedding): those that carry most.", PRECISION, default="all"),
    ] = None
    finetune_epochs: Annotated[float, Option("Epochs of distillation for this point only.", ENGINE)] = 0.0
    format: Annotated[str, Option("huggingface, or triton for a Triton model repository.", ENGINE)] = (
        HUGGINGFACE
    )
    runtime: Annotated[
        str | None,
        Option('Oldest ONNX Runtime that must run it, such as ">=1.20".', ENGINE, default="the device's"),
    ] = None
    portable: Annotated[bool, Option("Only ONNX's own operators.", ENGINE)] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.format not in FORMATS:
            raise ConfigurationError(one_of("--format", self.format, FORMATS))
        for option in ("precision_drop", "finetune_epochs"):
            value = getattr(self, option)
            if value is not None and not 0 <= value < inf:
                raise ConfigurationError(f"{option} is {value}; permitted: 0 or more.")
        if self.finetune_epochs and self.dense:
            raise ConfigurationError("--finetune-epochs is for a pruned point; leave it out with --dense.")


@dataclass(frozen=True)
class PointCall(ExportOptions, Told):
    """All options of `Run.export`."""


@dataclass(frozen=True)
class ExportCall(PointCall, OfRun):
    """All options of `compresskit export`, and of `compresskit.export`."""
