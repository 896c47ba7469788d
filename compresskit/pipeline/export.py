"""From a point of a front to an engine: prune, fine-tune, export, verify, score, write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from compresskit.architecture import Candidate
from compresskit.bundle.manifest import Manifest
from compresskit.engine.count import count_macs, count_params
from compresskit.engine.embeddings import check_embeddings
from compresskit.engine.export import export_onnx
from compresskit.engine.folder import check_output, write_engine
from compresskit.engine.precision import check_precision
from compresskit.engine.triton import left_out, write_triton
from compresskit.engine.verify import verify
from compresskit.engine.vocabulary import TrimmedTokenizer, TrimmedVocabulary, trim
from compresskit.errors import ConfigurationError, one_of
from compresskit.pipeline.chosen_point import block_facts, fine_tune_point
from compresskit.pipeline.corpus import Corpus
from compresskit.pipeline.device import reach
from compresskit.pipeline.final_graph import FinalGraph, PrecisionRequest, final_graph
from compresskit.pipeline.fingerprints import check_run, fingerprints_of
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.measured import measured_latency
from compresskit.pipeline.models import load_model, open_checkpoint
from compresskit.pipeline.points import weights_folder
from compresskit.pipeline.reuse import stored_settings
from compresskit.pruning.block.linear import compact
from compresskit.pruning.extract import extract
from compresskit.pruning.vocabulary import cut_vocabulary
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import Front, FrontPoint
from compresskit.search.front import select_point
from compresskit.supernet.surgery import blueprint_of
from compresskit.target.profile import Profile
from compresskit.tasks.task import Task
from compresskit.training.progress import Progress
from compresskit.training.stages import Stage

LAYOUTS = ("huggingface", "triton")
_PROOF_ROWS = 256


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
    precision: str | None = None,
    precision_drop: float | None = None,
    embeddings: str = "fp32",
    trim_vocabulary: bool = False,
    finetune_epochs: float = 0.0,
    layout: str = "huggingface",
    say: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Write the engine of a point into the new or empty folder `output`; returns its manifest.

    `layout` is huggingface, an engine folder, or triton, a Triton model repository.
    `precision` is fp32, fp16, int8 (dynamic), int8-static or auto: the fastest on the profile's device
    that loses at most `precision_drop` points of validation metric (0.5 where None). With a drop given,
    an int8 that loses more keeps its most sensitive layers in float. None: the point's own precision.
    `embeddings` is the precision of the table of words; `trim_vocabulary` cuts it to the tokens of the
    training and validation texts.
    The test set is read here, once, and scored by ONNX Runtime. An engine that differs from its
    PyTorch model is not written (EngineError).
    """
    if layout not in LAYOUTS:
        raise ConfigurationError(one_of("--format", layout, LAYOUTS))
    check_embeddings(embeddings)
    if finetune_epochs and choice.dense:
        raise ConfigurationError("--finetune-epochs is for a pruned point; leave it out with --dense.")
    check_output(output)
    run = RunDirectory.open(run_path)
    candidate, trial_id, weights = choose(run, choice)
    request = PrecisionRequest(precision or candidate.precision, precision_drop, embeddings)
    check_precision(request.precision)
    settings = stored_settings(run, {}, (), "an export")
    profile = Profile.from_json(run.settings["profile"])
    checkpoint = open_checkpoint(settings.model)
    pad_id: int = checkpoint.tokenizer.pad_token_id
    task = read_task(settings, checkpoint)
    check_run(run, task, fingerprints_of(task, checkpoint), "an export", say)
    dense = load_model(run.supernet / "dense_model")
    source = (
        dense
        if choice.dense
        else load_model(weights_folder(run.path, weights, candidate.architecture, blueprint_of(dense).dims))
    )
    if finetune_epochs:
        say(f"fine-tuning {candidate.architecture.signature}")
        stage = Stage(task, pad_id, run.supernet / "points", lambda progress: _say_progress(progress, say))
        fine_tune_point(source, dense, candidate, stage, settings, finetune_epochs)
    pruned = extract(source, candidate.architecture).eval()
    tokenizer, words = checkpoint.tokenizer, None
    if trim_vocabulary:
        words = _cut_words(tokenizer, pruned, task, say)
        tokenizer = TrimmedTokenizer(tokenizer, words)
    corpus = Corpus.of(task, words, max_length=settings.max_length, seed=settings.seed)
    say("exporting and verifying")
    plain = export_onnx(pruned)
    if candidate.blocks is not None:
        pruned = compact(pruned, candidate.blocks)
    with reach(profile, pad_id=pad_id, say=say) as device:
        final, forge = final_graph(
            plain,
            request,
            device,
            run=run,
            profile=profile,
            corpus=corpus,
            pad_id=pad_id,
            blocks=candidate.blocks,
            say=say,
        )
        graph, variant = final.made.graph, final.made.variant
        whole = forge.in_float(variant)
        exact = final.made.precision == embeddings == "fp32"
        if not exact:  # its own logits cannot prove that the graph is right
            verify(whole, pruned, corpus.test[:_PROOF_ROWS], variant.session, pad_id=pad_id)
        difference, logits = verify(graph, pruned, corpus.test, variant.session, exact=exact, pad_id=pad_id)
        say(f"largest difference to PyTorch on the test set: {difference:.1e}")
        if device is not None and not device.is_this_cpu:
            logits = device.logits(graph, corpus.test, variant.session)
    metric = task.score(logits, task.test.labels)
    say(f"test {task.metric_name} in ONNX Runtime: {metric:.4f}")
    if graph.ByteSize() != whole.ByteSize():
        say(f"ONNX file: {graph.ByteSize() / 1e6:.1f} MB, in fp32 {whole.ByteSize() / 1e6:.1f} MB")
    latencies, host = measured_latency(run, candidate.signature, final.made.precision, variant.name)
    manifest = Manifest(
        architecture=candidate.architecture.to_json(),
        signature=candidate.signature,
        precision=final.made.precision,
        metric_name=task.metric_name,
        test_metric=metric,
        variant=variant.name,
        session=variant.session.to_json(),
        blocks=block_facts(candidate, blueprint_of(dense), whole),
        labels=list(task.label_names),
        lineage=_lineage(run, trial_id, profile, finetune_epochs) | latencies,
        device=host,
        seed=settings.seed,
        max_length=settings.max_length,
        num_params=count_params(whole),
        macs=count_macs(whole, profile.batch, profile.length),
        **_compression(final, embeddings, words),
    )
    if layout == "triton":
        for item in left_out(variant.session):
            say(f"Triton cannot set {item}; it may serve this graph slower than it was measured")
        return write_triton(output, graph=graph, tokenizer=tokenizer, manifest=manifest, profile=profile)
    return write_engine(output, graph=graph, model=pruned, tokenizer=tokenizer, manifest=manifest)


def choose(run: RunDirectory, choice: Choice) -> tuple[Candidate, int | None, str | None]:
    """The candidate that `choice` means, its trial, and the folder of its weights where they are its own.

    ConfigurationError says what there is.
    """
    front = run.front()
    if choice.dense:
        assert front.dense is not None
        return front.dense.candidate, None, None
    if choice.trial is not None:
        for record in run.trials():
            if record.trial_id == choice.trial and record.is_completed:
                return record.candidate, record.trial_id, record.weights
        last = len(run.trials()) - 1
        raise ConfigurationError(
            f"--trial {choice.trial} is no completed trial of {run.path}; ids are 0 to {last}."
        )
    point = _point(front, choice)
    return point.candidate, point.trial_id, point.weights


def _point(front: Front, choice: Choice) -> FrontPoint:
    if choice.pareto_idx is None:
        return select_point(front, max_drop=choice.max_drop, max_latency_ms=choice.max_latency_ms)
    if not 0 <= choice.pareto_idx < len(front.points):
        raise ConfigurationError(
            f"--pareto-idx {choice.pareto_idx} is not on the front; permitted: 0 (the fastest) to "
            f"{len(front.points) - 1}. `compresskit pareto` lists them."
        )
    return front.points[choice.pareto_idx]


def _cut_words(
    tokenizer: Any, pruned: nn.Module, task: Task, say: Callable[[str], None]
) -> TrimmedVocabulary:
    """Cut the model's embeddings, in place, to what the texts that it learned from use."""
    texts = [*task.train.texts, *task.validation.texts]
    words = trim(tokenizer.backend_tokenizer.to_str(), texts, pad_id=tokenizer.pad_token_id)
    cut_vocabulary(pruned, words.kept)
    say(f"vocabulary: {len(words.kept):,} of {words.total:,} tokens stay")
    return words


def _compression(final: FinalGraph, embeddings: str, words: TrimmedVocabulary | None) -> dict[str, Any]:
    """Fields of the manifest that say how the graph came to be as it is."""
    return {
        "float_layers": list(final.made.float_layers),
        "embeddings": embeddings,
        "vocabulary": {} if words is None else {"tokens": len(words.kept), "of": words.total},
        "precision_trials": final.trials,
        "variant_check": dict(final.check),
    }


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
