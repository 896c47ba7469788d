"""Small engines of each task, in fp32 and int8, and the rows that they are asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from PIL import Image

from benchmarks.sst2.__main__ import run
from benchmarks.tasks.pairs import write_pairs

PRECISIONS = ("fp32", "int8")
ROWS = 200
SIDE = 126  # pixels
TRAINED = 400  # rows
PROFILE = Path(__file__).parents[1] / "cpu-32-tokens.toml"


class Asked(NamedTuple):
    """Files of `--data` that train and that are asked, and what `engine.predict` takes of a row."""

    train: str
    asked: str
    text: Callable[[Mapping[str, Any]], Any]


TASKS = {
    "embedding": Asked("stsb/train", "stsb/validation", lambda row: row["sentence1"]),
    "rerank": Asked("wikiqa/validation", "wikiqa/test", lambda row: [row["query"], row["passage"]]),
    "qa": Asked("squad_small/train", "squad_small/validation", lambda row: [row["question"], row["context"]]),
    "choice": Asked(
        "openbookqa/train",
        "openbookqa/test",
        lambda row: [row["sent1"], [row[f"ending{i}"] for i in range(4)]],
    ),
    "labels": Asked("clinc150", "clinc150/test", lambda row: row["sentence"]),
}


def asked(task: str, data: Path) -> list[Any]:
    """The first rows that differ, as `engine.predict` takes them."""
    found = TASKS[task]
    texts = [found.text(row) for row in pq.read_table(data / f"{found.asked}.parquet").to_pylist()]
    return list({json.dumps(text): text for text in texts}.values())[:ROWS]


def images(data: Path, folder: Path) -> list[str]:
    """Files of the first images of cifar10_small that are not trained on, enlarged to `SIDE`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = pq.read_table(data / "cifar10_small" / "validation.parquet").slice(0, ROWS).to_pylist()
    files = []
    for number, row in enumerate(rows):
        file = folder / f"{number}.png"
        Image.open(BytesIO(row["image"]["bytes"])).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(file)
        files.append(str(file))
    return files


def make(task: str, model: Path, data: Path, folder: Path) -> dict[str, Path]:
    """Engines by precision below `folder`: the smallest network of a search that trains hardly anything."""
    found = {precision: folder / precision for precision in PRECISIONS}
    dataset = folder / "data"
    if not dataset.exists():
        dataset.mkdir(parents=True)
        if task == "labels":
            write_pairs(data / TASKS[task].train, folder / "pairs")
            lines = (folder / "pairs" / "train.jsonl").read_text().splitlines(keepends=True)
            (dataset / "train.jsonl").write_text("".join(lines[:TRAINED]))
        else:
            table = pq.read_table(data / f"{TASKS[task].train}.parquet").slice(0, TRAINED)
            pq.write_table(table, dataset / "train.parquet")
    if not (folder / "run" / "pareto.json").exists():
        words = ["--model", str(model), "--dataset", str(dataset), "--task", task, "--profile", str(PROFILE)]
        words += ["--method", "retraining-free", "--trials", "2", "--epochs", "1"]
        run("search", *words, "--max-length", "192", "--output", str(folder / "run"), "--force")
    for precision, engine in found.items():
        if not engine.exists():
            words = ["--trial", "1", "--precision", precision, "--output", str(engine)]
            run("export", str(folder / "run"), *words)
    return found
