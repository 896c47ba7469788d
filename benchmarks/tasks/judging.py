"""Judges of embedding models, by the engines' own vectors, and the share of the dense mean that is kept."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.engine.environments import TORCH, python_of
from compresskit import load_engine
from compresskit.data.files import read_table
from compresskit.tasks.embedding import Embedding
from compresskit.tasks.examples import DataOptions, Examples
from compresskit.tasks.intervals import row_groups

Vectors = npt.NDArray[Any]
Encoder = Callable[[Sequence[str]], Vectors]
PAIRS = {
    "stsb": "stsb/validation",
    "sts13": "sts12_16/sts13_test",
    "sts15": "sts12_16/sts15_test",
    "sts16": "sts12_16/sts16_test",
}
DRAWS = 2_000


def judges(data: Path) -> dict[str, Examples]:
    kind = Embedding((), Embedding.metrics[0])
    found = {
        name: kind.read_test(read_table([data / f"{path}.parquet"]), "test", name, DataOptions())
        for name, path in PAIRS.items()
    }
    retrieval = kind.read_folder(data / "cranfield")
    assert retrieval is not None
    return {**found, "cranfield": retrieval}


def encoder_of(engine: Path) -> Encoder:
    """Vectors of an engine folder, in ONNX Runtime."""
    return load_engine(engine).predict


def static_encoder(model: Path, data: Path, work: Path) -> Encoder:
    """Vectors by model2vec's static distillation of a model: of the texts that judge, made once."""
    texts = sorted({text for examples in judges(data).values() for text in examples.inputs})
    rows, vectors = work / "judged.jsonl", work / "static.jsonl"
    if not vectors.exists():
        rows.write_text("".join(json.dumps(text) + "\n" for text in texts))
        python = python_of("model2vec", work, [TORCH, "model2vec[distill,quantization]==0.10.0"])
        script = Path(__file__).with_name("static_model2vec.py")
        part = vectors.with_suffix(".part")
        command = [python, script, model.resolve(), rows.resolve(), part.resolve()]
        subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)
        part.rename(vectors)
    found = dict(zip(texts, map(json.loads, vectors.read_text().splitlines()), strict=True))
    return lambda given: np.array([found[text] for text in given])


def kept(
    data: Path, encoders: Mapping[str, Encoder], dense: str, seed: int = 0
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, Any]]]:
    """Scores by model and judge, and of each model its mean over the judges as a share of `dense`'s.

    The share has a paired 95 % interval: groups of rows with a common text are drawn within each judge, the
    same for all models. `better` is the interval of the difference of means to each other model, by name.
    """
    scores: dict[str, dict[str, float]] = {name: {} for name in encoders}
    drawn = {name: np.zeros(DRAWS) for name in encoders}
    given = judges(data)
    rng = np.random.default_rng(seed)
    for name, examples in given.items():
        judge = examples.judge
        assert judge is not None
        answers = {
            model: judge.answers(judge.predictions(encode(examples.inputs), []))
            for model, encode in encoders.items()
        }
        groups = np.unique(row_groups(examples.texts), return_inverse=True)[1]
        size = int(groups.max()) + 1
        samples = [
            np.bincount(rng.integers(0, size, size), minlength=size)[groups].astype(np.float64)
            for _ in range(DRAWS)
        ]
        for model, said in answers.items():
            scores[model][name] = judge.score_answers(said, examples.labels)
            parts = np.array_split(np.array(samples), 20)
            found = [judge.weighted(said, examples.labels, part) for part in parts]
            drawn[model] += np.concatenate(found) / len(given)
    means = {model: float(np.mean(list(each.values()))) for model, each in scores.items()}
    shares = {
        model: {
            "mean": means[model],
            "share": means[model] / means[dense],
            "share_ci": _ends(drawn[model] / drawn[dense]),
            "better": {other: _ends(drawn[model] - drawn[other]) for other in encoders if other != model},
        }
        for model in encoders
    }
    return scores, shares


def _ends(values: Vectors) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
