"""`compresskit export`: a point of a front as a pruned model and its engine."""

from __future__ import annotations

from typing import Any

from compresskit.cli.options import command
from compresskit.cli.output import emit, say
from compresskit.options.export import ExportCall


def run(given: dict[str, Any], *, as_json: bool) -> None:
    """Prune, verify against PyTorch, score on the test set in ONNX Runtime, and write the engine."""
    with say.stage("loading libraries"):
        from compresskit.api.export import export
        from compresskit.engine.card import describe_test

    manifest = export(**given, say=say).manifest

    def render() -> str:
        size = f"{manifest.num_params / 1e6:.2f} M parameters"
        test = f"test {manifest.metric_name} {describe_test(manifest.test_metric, manifest.test)}"
        return f"{given['output']}: {manifest.signature} {manifest.precision}, {size}, {test}"

    emit(manifest.to_json(), as_json, render)


main = command(ExportCall, run)
