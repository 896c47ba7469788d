"""The dense engine of a task: exported once, the baseline of every cell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from compresskit.architecture import Architecture
from compresskit.bundle.manifest import Manifest, read_manifest
from compresskit.engine.count import count_macs, count_params
from compresskit.engine.export import export_onnx
from compresskit.engine.folder import write_engine
from compresskit.engine.score import logits_of
from compresskit.engine.variants import choose_variant
from compresskit.families import dimensions_of
from compresskit.pipeline.evaluation.latency import time_of
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.models import load_model, open_checkpoint
from compresskit.target.open import open_target
from compresskit.target.profile import load_profile


def dense_engine(settings: SearchSettings, folder: Path, say: Callable[[str], None]) -> Manifest:
    """Export the fine-tuned checkpoint `settings.model` into `folder` in the fastest form of its graph."""
    if folder.exists():
        return read_manifest(folder)
    checkpoint = open_checkpoint(settings.model)
    task = read_task(settings, checkpoint)
    model = load_model(Path(settings.model)).eval()
    profile = load_profile(settings.profile)
    plain = export_onnx(model)
    with open_target(profile, say=say) as target:
        variant = choose_variant(time_of(target), plain)
    graph = variant.apply(plain)
    logits = logits_of(graph, task.test.encoded, variant.session, inputs=task.inputs)
    full = Architecture.full(dimensions_of(checkpoint.config))
    manifest = Manifest(
        architecture=full.to_json(),
        signature=full.signature,
        precision="fp32",
        metric_name=task.metric_name,
        test_metric=task.score(logits, task.test.labels),
        num_params=count_params(graph),
        macs=count_macs(graph, profile.batch, profile.length),
        variant=variant.name,
        session=variant.session.to_json(),
        task=task.kind.to_json(),
        inputs=task.inputs.to_json(),
        labels=list(task.kind.labels),
        lineage={"model": settings.model, "dataset": settings.dataset, "profile": profile.to_json()},
        seed=settings.seed,
        max_length=task.max_length,
    )
    return write_engine(folder, graph=graph, model=model, reader=checkpoint.reader, manifest=manifest)
