"""`compresskit export`: a point of a front as a pruned model and its engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compresskit.cli.output import JsonOption, emit, say


def main(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    output: Annotated[Path, typer.Option(help="New or empty folder for the engine.")],
    pareto_idx: Annotated[int | None, typer.Option(help="Point of the front; 0 is the fastest.")] = None,
    trial: Annotated[int | None, typer.Option(help="Any trial, by its id.")] = None,
    dense: Annotated[bool, typer.Option("--dense", help="The dense model.")] = False,
    max_drop: Annotated[
        float | None, typer.Option(help="Fastest within so many points of metric x 100 below dense.")
    ] = None,
    max_latency_ms: Annotated[float | None, typer.Option(help="Best metric within this latency.")] = None,
    precision: Annotated[str, typer.Option(help="fp32, fp16 or int8.")] = "fp32",
    finetune_epochs: Annotated[
        float, typer.Option(help="Epochs of distillation for this point alone.", min=0)
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Prune, verify against PyTorch, score on the test set in ONNX Runtime, and write the engine."""
    from compresskit.pipeline.export import Choice, export

    choice = Choice(pareto_idx, trial, dense, max_drop, max_latency_ms)
    manifest = export(run, output, choice, precision=precision, finetune_epochs=finetune_epochs, say=say)

    def render() -> str:
        return (
            f"{output}: {manifest.signature} {manifest.precision}, test {manifest.metric_name} "
            f"{manifest.test_metric:.4f}, {manifest.num_params / 1e6:.2f} M parameters"
        )

    emit(manifest.to_json(), as_json, render)
