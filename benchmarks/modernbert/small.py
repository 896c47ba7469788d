"""A small ModernBERT on TREC-6: taught, searched, exported and benched by the program's own commands."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine.loaders.__main__ import answers_of_optimum
from benchmarks.modernbert.dense import STUDENT, TEACHER, TFIDF, TWICE, Dense, dense_models
from benchmarks.modernbert.parity import TOLERANCE, Parity, engine_difference, parity
from benchmarks.results import write_results
from benchmarks.speeds import engines_at_speeds
from benchmarks.spent import timed
from compresskit import load_engine, load_pruned
from compresskit.architecture import Architecture
from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.pipeline.training.models import load_model
from compresskit.supernet.surgery import blueprint_of

TRIALS = "40"
OPTIMUM = Path(__file__).parents[1] / "engine" / "loaders" / "optimum_pipeline.py"


def small(model: Path, data: Path, work: Path, results: Path, seconds: float) -> bool:
    """Write small.json and small.md; False where the dense model needs another call."""
    dense = dense_models(model, data, work, seconds)
    if dense is None:
        return False
    with timed(work / "seconds.json", "search") as spent:
        folders, bench = engines_at_speeds(dense.folder, data / "trec6", work, ["--trials", TRIALS])
    found = {name: _checked(folder, dense, work) for name, folder in folders.items()}
    graphs = {name: asdict(each) for name, each in _graphs(dense.folder).items()}
    models = {
        name: {
            "accuracy": dense.accuracy(name),
            "against_tfidf": dense.known(name, TFIDF).difference_ci,
            "against_student": dense.known(name, STUDENT).difference_ci,
        }
        for name in dense.answers
    }
    value = {"facts": dense.facts, "models": models, "engines": found, "graphs": graphs, "bench": bench}
    largest = max(max(each["sliced"], each["exported"]) for each in graphs.values())
    assert largest <= TOLERANCE, f"a graph differs from PyTorch by {largest:.1e}"
    write_results(
        results, "small", {**value, "search_seconds": spent["search"]}, _table(value), _notes(value, largest)
    )
    return True


def _checked(folder: Path, dense: Dense, work: Path) -> dict[str, Any]:
    """An engine against PyTorch at many shapes, and its answers in optimum-onnx on all test rows."""
    engine, pruned = load_engine(folder), load_pruned(folder)
    texts = [row[0] for row in dense.task.test.texts]
    own = engine.predict(texts)
    others, versions = answers_of_optimum(OPTIMUM, folder, texts, work)
    logits = np.array([other["logits"] for other in others])
    labels = [engine.labels[place] for place in own.argmax(axis=1)]
    architecture = Architecture.from_json(engine.manifest.architecture)
    return {
        "signature": engine.manifest.signature,
        "kept_layers": architecture.kept_layers,
        "layer_types": pruned.config.layer_types,  # type: ignore[union-attr]
        "test_metric": engine.manifest.test_metric,
        "test": engine.manifest.test,
        "num_params": engine.manifest.num_params,
        "macs": engine.manifest.macs,
        "largest_difference": engine_difference(engine.session, pruned),
        "optimum": {
            "versions": dict(versions),
            "same_labels": sum(a["label"] == b for a, b in zip(others, labels, strict=True)),
            "largest_difference": float(np.abs(logits - own).max()),
        },
    }


def _graphs(folder: Path) -> dict[str, Parity]:
    """Parity of the trained model's graphs where layers go, layer 0 among them."""
    model: Any = load_model(folder).eval()
    slicer = GraphSlicer(export_onnx(model), blueprint_of(model))
    dims = slicer.blueprint.dims
    kinds = model.config.layer_types
    chosen = {
        "dense": range(dims.num_layers),
        "without layer 0": range(1, dims.num_layers),
        "local layers alone": [layer for layer, kind in enumerate(kinds) if kind == "sliding_attention"],
        "global layers alone": [layer for layer, kind in enumerate(kinds) if kind == "full_attention"],
    }
    return {
        name: parity(model, slicer, Architecture.uniform(dims, layers, dims.num_heads, dims.num_units))
        for name, layers in chosen.items()
    }


def _table(value: dict[str, Any]) -> list[list[str]]:
    head = ["model or engine", "keeps", "test accuracy, %", "against dense", "95 %", "against TF-IDF, 95 %"]
    table = [[*head, "speed-up", "95 %", "engine against PyTorch", "same labels in optimum-onnx"]]
    for name, row in value["models"].items():
        gap = 100 * (row["accuracy"] - value["models"][STUDENT]["accuracy"])
        against = [f"{gap:+.1f}", _ends(row["against_student"])]
        own = ["", ""] if name == STUDENT else against
        tfidf = "" if name == TFIDF else _ends(row["against_tfidf"])
        table.append([name, "", f"{100 * row['accuracy']:.1f}", *own, tfidf, "", "", "", ""])
    ratios = {Path(ratio["engine"]).name: ratio for ratio in value["bench"]["ratios"]}
    for name, row in value["engines"].items():
        cells = [f"engine {name}", row["signature"], f"{100 * row['test_metric']:.1f}"]
        gap, speed = ["", ""], ["1", ""]
        if name in ratios:
            change = row["test_metric"] - value["engines"]["dense"]["test_metric"]
            gap = [f"{100 * change:+.1f}", _ends(row["test"]["difference_ci"])]
            speed = [f"{ratios[name]['speedup']:.2f}", "{:.2f} to {:.2f}".format(*ratios[name]["ci"])]
        same = f"{row['optimum']['same_labels']} of {row['test']['rows']}"
        table.append([*cells, *gap, "", *speed, f"{row['largest_difference']:.1e}", same])
    return table


def _ends(ci: Any) -> str:
    return "{:+.1f} to {:+.1f}".format(*(100 * end for end in ci))


def _notes(value: dict[str, Any], largest: float) -> str:
    facts, chosen = value["facts"], value["facts"]["tfidf"]
    versions = value["engines"]["dense"]["optimum"]["versions"]
    return (
        f"A ModernBERT of {facts[STUDENT]['num_params'] / 1e6:.1f} M parameters (6 layers of 384, two global "
        f"and four local ones with a window of 16 tokens) on TREC-6, one CPU thread, one text of 128 tokens. "
        f"It is drawn at random, but for MiniLM's word embeddings, and taught by {TEACHER[9:]} for "
        f"{facts[STUDENT]['steps']} steps on the {facts['train_rows']} training rows and "
        f"{facts['unlabelled_texts']} texts without labels; `{TWICE}` shows that it has converged. TF-IDF: "
        f"logistic regression on the same training rows, n-grams {chosen['ngrams']} and C = {chosen['C']:g} "
        "chosen on validation. Points were chosen on validation; accuracy is of the 500 test rows, that of "
        "engines in ONNX Runtime, intervals are paired. Engine against PyTorch: the largest difference of "
        "logits at 1, 3 and 8 rows of 5 to 600 tokens. Sliced and exported graphs without layer 0, of local "
        f"layers alone and of global ones alone differ by at most {largest:.1e}. optimum-onnx "
        f"{versions['optimum-onnx']} with transformers {versions['transformers']}."
    )
