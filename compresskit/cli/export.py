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
        float | None, typer.Option(help="Fastest within this drop below dense, in points of metric x 100.")
    ] = None,
    max_latency_ms: Annotated[float | None, typer.Option(help="Best metric within this latency.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="fp32, fp16, int8, int8-static or auto; default: the point's own.")
    ] = None,
    precision_drop: Annotated[
        float | None,
        typer.Option(help="Points of metric x 100 that the precision may lose; 0.5 for auto.", min=0),
    ] = None,
    embeddings: Annotated[str, typer.Option(help="Word embeddings in fp32, fp16 or int8.")] = "fp32",
    trim_vocabulary: Annotated[
        bool,
        typer.Option("--trim-vocabulary", help="Keep the tokens that training and validation texts use."),
    ] = False,
    finetune_epochs: Annotated[
        float, typer.Option(help="Epochs of distillation for this point only.", min=0)
    ] = 0.0,
    layout: Annotated[
        str, typer.Option("--format", help="huggingface, or triton for a Triton model repository.")
    ] = "huggingface",
    runtime: Annotated[
        str | None,
        typer.Option(help='Oldest ONNX Runtime that must run it, such as ">=1.20"; default: the device\'s.'),
    ] = None,
    portable: Annotated[bool, typer.Option("--portable", help="Only ONNX's own operators.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prune, verify against PyTorch, score on the test set in ONNX Runtime, and write the engine."""
    with say.stage("loading libraries"):
        from compresskit.engine.card import describe_test
        from compresskit.pipeline.export import Choice, export

    choice = Choice(pareto_idx, trial, dense, max_drop, max_latency_ms)
    manifest = export(
        run,
        output,
        choice,
        precision=precision,
        precision_drop=precision_drop,
        embeddings=embeddings,
        trim_vocabulary=trim_vocabulary,
        finetune_epochs=finetune_epochs,
        layout=layout,
        runtime=runtime,
        portable=portable,
        say=say,
    )

    def render() -> str:
        return (
            f"{output}: {manifest.signature} {manifest.precision}, {manifest.num_params / 1e6:.2f} M "
            f"parameters, test {manifest.metric_name} {describe_test(manifest.test_metric, manifest.test)}"
        )

    emit(manifest.to_json(), as_json, render)
