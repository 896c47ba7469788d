"""The fine-tuned dense model of a task and seed: made once, then shared by all that start from it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from compresskit.display import display_of
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.settings import DENSE_LEARNING_RATE, SearchSettings
from compresskit.pipeline.training.models import load_dense, open_checkpoint
from compresskit.pipeline.training.strategy import rate_for
from compresskit.runs.atomic import write_atomic
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.surgery import blueprint_of
from compresskit.training.cost import mean_step_cost
from compresskit.training.recipe import Recipe
from compresskit.training.stages import Stage, dense_strategy, fine_tune, score

ROWS = 32  # of a full step


@dataclass(frozen=True)
class DenseModel:
    """A fine-tuned checkpoint in `folder`, its metric on validation, and what it cost.

    `prior`: the metric on validation of the majority class, or of the mean.
    """

    folder: str
    metric: float
    prior: float
    train_rows: int
    full_steps: float
    seconds: float


def dense_model(
    settings: SearchSettings, folder: Path, full_steps: float, say: Callable[[str], None] = print
) -> DenseModel:
    """Fine-tune `settings.model` for `full_steps` into `folder`, unless that was done before."""
    done = folder / "dense.json"
    if done.exists():
        return DenseModel(**json.loads(done.read_text()))
    start = time.monotonic()
    checkpoint = open_checkpoint(settings.model)
    task = read_task(settings, checkpoint)
    model = load_dense(checkpoint, task, settings.seed).model
    stage = Stage(task, folder / "training", display_of(say))
    blueprint = blueprint_of(model)
    plain_steps = full_steps * ROWS / settings.batch_size
    # R-Drop doubles the cost of a step; a budget that is short of steps then goes into plain ones.
    strategy = dense_strategy(model, task, round(plain_steps / 2))
    cost = mean_step_cost(strategy, blueprint)
    recipe = Recipe(
        epochs=plain_steps / cost / -(-len(task.train) // settings.batch_size),
        learning_rate=settings.learning_rate or rate_for(DENSE_LEARNING_RATE, blueprint.dims.hidden_size),
        batch_size=settings.batch_size,
        seed=settings.seed,
    )
    fine_tune(model, stage, recipe, strategy)
    seconds = time.monotonic() - start
    model.save_pretrained(folder / "model")  # type: ignore[operator]
    checkpoint.reader.save_pretrained(folder / "model")
    shutil.rmtree(folder / "training", ignore_errors=True)
    found = DenseModel(
        folder=str(folder / "model"),
        metric=score(SuperNetwork(model), stage, task.validation),
        prior=task.prior(task.validation),
        train_rows=len(task.train),
        full_steps=recipe.steps(len(task.train)) * cost * settings.batch_size / ROWS,
        seconds=seconds,
    )
    write_atomic(done, json.dumps(asdict(found), indent=2) + "\n")
    return found
