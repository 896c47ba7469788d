"""From a point of a front to an engine: prune, fine-tune, export, verify, score, write."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from compresskit.bundle.manifest import Manifest
from compresskit.display import Display, Say, display_of
from compresskit.engine.count import count_macs, count_params
from compresskit.engine.embeddings import check_embeddings
from compresskit.engine.export import export_onnx
from compresskit.engine.folder import check_output, write_engine
from compresskit.engine.triton import left_out, write_triton
from compresskit.engine.verify import check_model, verify
from compresskit.engine.vocabulary import TrimmedTokenizer, TrimmedVocabulary, trim
from compresskit.errors import ConfigurationError
from compresskit.inputs import TOKEN_IDS
from compresskit.options.declare import takes
from compresskit.options.export import HUGGINGFACE, ExportCall, ExportOptions
from compresskit.options.told import Told
from compresskit.pipeline.exporting.corpus import Corpus
from compresskit.pipeline.exporting.device import reach
from compresskit.pipeline.exporting.engine_score import Examination
from compresskit.pipeline.exporting.final_graph import FinalGraph, PrecisionRequest, final_graph
from compresskit.pipeline.exporting.fine_tuning import block_facts, fine_tune_point
from compresskit.pipeline.exporting.measured_point import measured_latency
from compresskit.pipeline.exporting.on_test import changes_of, figures_on_test, kept_answers
from compresskit.pipeline.exporting.point_choice import choose
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.store.fingerprints import check_judges, check_run, fingerprints_of
from compresskit.pipeline.store.reuse import profile_for, stored_settings
from compresskit.pipeline.store.rotation import check_dims, rotation_of
from compresskit.pipeline.store.trial_weights import weights_folder
from compresskit.pipeline.training.models import Checkpoint, load_model, open_checkpoint
from compresskit.pruning.block.linear import compact
from compresskit.pruning.extract import extract
from compresskit.pruning.vocabulary import cut_vocabulary
from compresskit.runs.directory import RunDirectory
from compresskit.runs.pruned import check_whole
from compresskit.supernet.embedder import shorten
from compresskit.supernet.importance import sort_heads
from compresskit.supernet.surgery import blueprint_of
from compresskit.target.profile import Profile
from compresskit.tasks.task import Task
from compresskit.training.stages import Stage

_PROOF_ROWS = 256


@takes(ExportCall)
def export(say: Say | Display = Told.say, **given: Any) -> Manifest:
    """Write the engine of a point into the new or empty folder `output`; returns its manifest.

    The test set is read here, once, and scored by ONNX Runtime. An engine that differs from its
    PyTorch model is not written (EngineError).
    """
    display = display_of(say)
    folder, options = given.pop("run"), ExportOptions(**given)
    output = Path(options.output)
    check_embeddings(options.embeddings)
    check_output(output)
    run = RunDirectory.open(folder)
    check_whole(run)
    candidate, trial_id, weights = choose(run, options)
    request = PrecisionRequest(
        options.precision or candidate.precision,
        options.precision_drop,
        options.embeddings,
        options.runtime,
        options.portable,
    )
    settings = stored_settings(run, {}, (), "an export")
    profile = profile_for(run, {})
    with display.stage("reading model and data"):
        checkpoint = open_checkpoint(settings.model)
        task = read_task(settings, checkpoint)
    check_run(run, task, fingerprints_of(task, checkpoint, download=False), "an export", display)
    check_judges(run, task)
    if options.dims is not None:
        check_dims(options.dims, task, checkpoint.config)
    _check_words(options, task)
    kept_answers(run.path)  # damage is reported before anything is computed
    dense = load_model(run.supernet / "dense_model")
    source = (
        dense
        if options.dense
        else load_model(weights_folder(run.path, weights, candidate.architecture, blueprint_of(dense).dims))
    )
    if options.finetune_epochs:
        display(f"fine-tuning {candidate.architecture.signature}")
        stage = Stage(task, run.supernet / "points", display)
        fine_tune_point(source, dense, candidate, stage, settings, options.finetune_epochs)
    pruned = extract(source, candidate.architecture).eval()
    if candidate.blocks is None:  # these are of the heads as they were trained
        sort_heads(pruned, blueprint_of(dense))
    if options.dims is not None:
        shorten(pruned, rotation_of(run, task)[:, : options.dims])
    reader, words = checkpoint.reader, None
    if options.trim_vocabulary:
        words = _cut_words(checkpoint, pruned, task, display)
        reader = TrimmedTokenizer(reader, words)
    corpus = Corpus.of(task, words, seed=settings.seed)
    with display.stage("exporting the graph"):
        plain = export_onnx(pruned)
    if candidate.blocks is not None:
        pruned = compact(pruned, candidate.blocks)
    with reach(profile, inputs=task.inputs, say=display) as device:
        final, builder = final_graph(
            plain,
            request,
            device,
            run=run,
            profile=profile,
            corpus=corpus,
            blocks=candidate.blocks,
            display=display,
        )
        graph, variant = final.made.graph, final.made.variant
        whole = builder.in_float(variant)
        exact = final.made.precision == options.embeddings == "fp32"
        if not exact:  # its own logits cannot prove that the graph is right
            rows = corpus.validation.encoded[:_PROOF_ROWS]
            with display.stage("verifying the graph in float"):
                verify(whole, pruned, rows, variant.session, inputs=task.inputs)
        check_model(graph)
        if graph.ByteSize() != whole.ByteSize():
            display(f"ONNX file: {graph.ByteSize() / 1e6:.1f} MB, in fp32 {whole.ByteSize() / 1e6:.1f} MB")
        latencies, host = measured_latency(run, candidate.signature, final.made.precision, variant.name)
        if options.dims is not None:  # the point's has no projection
            latencies = {name: value for name, value in latencies.items() if name == "dense_latency_ms"}
        for mark in latencies.get("latency_marks", ()):
            display(f"the latency is not to be trusted: {mark}")
        manifest = Manifest(
            architecture=candidate.architecture.to_json(),
            signature=candidate.signature,
            precision=final.made.precision,
            metric_name=task.metric_name,
            test_metric=None,
            variant=variant.name,
            session=variant.session.to_json(),
            blocks=block_facts(candidate, blueprint_of(dense), whole),
            task=task.kind.to_json(),
            inputs=task.inputs.to_json(),
            labels=list(task.kind.labels),
            lineage=_lineage(run, trial_id, profile, options.finetune_epochs) | latencies,
            device=host,
            seed=settings.seed,
            max_length=task.max_length or None,
            num_params=count_params(whole),
            macs=count_macs(whole, **profile.sizes),
            **_compression(final, options.embeddings, words),
        )
        changed = changes_of(
            candidate,
            final.made,
            options.embeddings,
            words is not None,
            options.finetune_epochs,
            options.dims,
        )
        held = partial(figures_on_test, run, task, trial_id, changed, display=display)
        judged = run.front().dense if task.judges else None
        judges = judged.judges if judged else {}
        examine = Examination(corpus, pruned, graph, device, exact, held, display, judges)
        with _engine_folder(output, options.format) as folder:
            manifest = write_engine(
                folder, graph=graph, model=pruned, reader=reader, manifest=manifest, examine=examine
            )
    if options.format == HUGGINGFACE:
        return manifest
    for item in left_out(variant.session):
        display(f"Triton cannot set {item}; it may serve this graph slower than it was measured")
    return write_triton(output, graph=graph, reader=reader, manifest=manifest, profile=profile)


def _check_words(options: ExportOptions, task: Task) -> None:
    """ConfigurationError for options of a table of words where there is none."""
    if task.kind.reads == TOKEN_IDS:
        return
    for name, is_given in (
        ("trim-vocabulary", options.trim_vocabulary),
        ("embeddings", options.embeddings != "fp32"),
    ):
        if is_given:
            raise ConfigurationError(
                f"--{name} is for models of text, and task {task.kind.name} has none; leave it out."
            )


@contextlib.contextmanager
def _engine_folder(output: Path, layout: str) -> Iterator[Path]:
    """Where the engine is written to be examined: a model repository for Triton is made of it afterwards."""
    if layout == HUGGINGFACE:
        yield output
        return
    with tempfile.TemporaryDirectory(prefix="compresskit-") as folder:
        yield Path(folder) / "engine"


def _cut_words(checkpoint: Checkpoint, pruned: nn.Module, task: Task, say: Say) -> TrimmedVocabulary:
    """Cut the model's embeddings, in place, to what the texts that it learned from use."""
    splits = task.train, task.validation
    texts = [text for split in splits for text in task.kind.read_texts(split.texts, split.raw)]
    words = trim(
        checkpoint.reader.backend_tokenizer.to_str(),
        texts,
        pad_id=task.inputs.inputs[0].padding,
        split_special_tokens=checkpoint.reader.split_special_tokens,
    )
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
