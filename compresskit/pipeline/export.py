"""From a point of a front to an engine: prune, fine-tune, export, verify, score, write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from compresskit.architecture import Architecture, Candidate
from compresskit.bundle.manifest import Manifest
from compresskit.engine.count import count_macs, count_params
from compresskit.engine.export import export_onnx
from compresskit.engine.folder import check_output, write_engine
from compresskit.engine.quantize import to_precision
from compresskit.engine.score import logits_of
from compresskit.engine.variants import variant_named
from compresskit.engine.verify import verify
from compresskit.errors import ConfigurationError
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.models import load_model, open_checkpoint
from compresskit.pipeline.reuse import stored_settings
from compresskit.pipeline.search import SHARED_LEARNING_RATE
from compresskit.pipeline.settings import SearchSettings
from compresskit.pruning.extract import extract
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import Front, FrontPoint
from compresskit.search.front import select_point
from compresskit.supernet.network import SuperNetwork
from compresskit.target.profile import Profile
from compresskit.training.progress import Progress
from compresskit.training.stages import Stage, train_supernet
from compresskit.training.strategies import Point
from compresskit.training.trainer import Recipe


@dataclass(frozen=True)
class Choice:
    """Which point of a run to export; exactly one of these says so, or both limits together."""

    pareto_idx: int | None = None
    trial: int | None = None
    dense: bool = False
    max_drop: float | None = None
    max_latency_ms: float | None = None

    def __post_init__(self) -> None:
        constrained = self.max_drop is not None or self.max_latency_ms is not None
        if (self.pareto_idx is not None) + (self.trial is not None) + self.dense + constrained != 1:
            raise ConfigurationError(
                "name one point to export: --pareto-idx N, --trial ID, --dense, or --max-drop and "
                "--max-latency-ms."
            )


def export(
    run_path: Path,
    output: Path,
    choice: Choice,
    *,
    precision: str = "fp32",
    finetune_epochs: float = 0.0,
    say: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Write the engine of a point into the new or empty folder `output`; returns its manifest.

    The test set is read here, once, and scored by ONNX Runtime. An engine that differs from its
    PyTorch model is not written (EngineError).
    """
    check_output(output)
    run = RunDirectory.open(run_path)
    candidate, trial_id = choose(run, choice)
    settings = stored_settings(run, {}, (), "an export")
    profile = Profile.from_json(run.settings["profile"])
    checkpoint = open_checkpoint(settings.model)
    pad_id: int = checkpoint.tokenizer.pad_token_id
    task = read_task(settings, checkpoint)
    dense = load_model(run.supernet / "dense_model")
    source = dense if choice.dense else load_model(run.supernet / "model")
    if finetune_epochs and not choice.dense:
        say(f"fine-tuning {candidate.architecture.signature}")
        stage = Stage(task, pad_id, run.supernet / "points", lambda progress: _say_progress(progress, say))
        _fine_tune(source, dense, candidate.architecture, stage, settings, finetune_epochs)
    pruned = extract(source, candidate.architecture).eval()
    say("exporting and verifying")
    variant = variant_named(run.info["variant"])
    whole = variant.apply(export_onnx(pruned))
    counts: dict[str, Any] = {
        "num_params": count_params(whole),
        "macs": count_macs(whole, profile.batch, profile.length),
    }
    graph = to_precision(whole, precision)
    difference = verify(
        graph, pruned, task.test.encoded, variant.session, exact=precision == "fp32", pad_id=pad_id
    )
    say(f"largest difference to PyTorch on the test set: {difference:.1e}")
    logits = logits_of(graph, task.test.encoded, variant.session, pad_id=pad_id)
    metric = task.score(logits, task.test.labels)
    say(f"test {task.metric_name} in ONNX Runtime: {metric:.4f}")
    manifest = Manifest(
        architecture=candidate.architecture.to_json(),
        signature=candidate.architecture.signature,
        precision=precision,
        metric_name=task.metric_name,
        test_metric=metric,
        variant=variant.name,
        session=variant.session.to_json(),
        labels=list(task.label_names),
        lineage=_lineage(run, trial_id, profile, finetune_epochs),
        seed=settings.seed,
        max_length=settings.max_length,
        **counts,
    )
    return write_engine(output, graph=graph, model=pruned, tokenizer=checkpoint.tokenizer, manifest=manifest)


def choose(run: RunDirectory, choice: Choice) -> tuple[Candidate, int | None]:
    """The candidate that `choice` means, and its trial. ConfigurationError says what there is."""
    front = run.front()
    if choice.dense:
        assert front.dense is not None
        return front.dense.candidate, None
    if choice.trial is not None:
        for record in run.trials():
            if record.trial_id == choice.trial and record.is_completed:
                return record.candidate, record.trial_id
        last = len(run.trials()) - 1
        raise ConfigurationError(
            f"--trial {choice.trial} is no completed trial of {run.path}; ids are 0 to {last}."
        )
    point = _point(front, choice)
    return point.candidate, point.trial_id


def _point(front: Front, choice: Choice) -> FrontPoint:
    if choice.pareto_idx is None:
        return select_point(front, max_drop=choice.max_drop, max_latency_ms=choice.max_latency_ms)
    if not 0 <= choice.pareto_idx < len(front.points):
        raise ConfigurationError(
            f"--pareto-idx {choice.pareto_idx} is not on the front; permitted: 0 (the fastest) to "
            f"{len(front.points) - 1}. `compresskit pareto` lists them."
        )
    return front.points[choice.pareto_idx]


def _fine_tune(
    shared: nn.Module,
    dense: nn.Module,
    architecture: Architecture,
    stage: Stage,
    settings: SearchSettings,
    epochs: float,
) -> None:
    """Train the slices of `shared` that `architecture` uses, in place; the dense model teaches."""
    recipe = Recipe(
        epochs=epochs,
        learning_rate=(settings.learning_rate or SHARED_LEARNING_RATE) / 2,
        batch_size=settings.batch_size,
        temperature=settings.temperature,
        seed=settings.seed,
    )
    train_supernet(
        SuperNetwork(shared),
        stage,
        recipe,
        lambda full: Point(full, architecture, lambda *_: architecture),
        watch=architecture,
        name="point",
        teacher=dense,
    )


def _say_progress(progress: Progress, say: Callable[[str], None]) -> None:
    metric = "" if progress.metric is None else f", metric {progress.metric:.4f}"
    say(f"fine-tuning: step {progress.step} of {progress.of}{metric}, {progress.seconds_left:.0f} s left")


def _lineage(
    run: RunDirectory, trial_id: int | None, profile: Profile, finetune_epochs: float
) -> dict[str, Any]:
    return {
        "model": run.settings["model"],
        "dataset": run.settings["dataset"],
        "run": run.path.name,
        "trial_id": trial_id,
        "finetune_epochs": finetune_epochs,
        "dense_validation_metric": run.info["dense_metric"],
        "profile": profile.to_json(),
    }
