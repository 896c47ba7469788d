"""What one optimizer step of each strategy costs, in steps of the full network.

Real training steps of the size of MiniLM-L6 (random weights, 32 texts of 32 tokens), rounds of
the strategies interleaved, so that a ratio comes from one stretch of time.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from transformers import BertConfig, BertForSequenceClassification, TrainerCallback, set_seed

from benchmarks.results import write_results
from compresskit.spaces import make_space
from compresskit.supernet.network import SuperNetwork
from compresskit.tasks.classification import Classification
from compresskit.tasks.task import Split, Task
from compresskit.training.recipe import Recipe
from compresskit.training.strategies import STRATEGIES, make_strategy
from compresskit.training.trainer import SuperNetTrainer

ROWS, LENGTH, WARM_UP = 32, 32, 2


class StepTimer(TrainerCallback):  # type: ignore[misc]
    """Seconds of each step, optimizer included."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._start = 0.0

    def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
        self._start = time.perf_counter()

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        self.seconds.append(time.perf_counter() - self._start)


def make_model() -> Any:
    set_seed(0)
    config = BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536, num_labels=2
    )
    return BertForSequenceClassification(config)


def time_steps(name: str, steps: int, seed: int) -> list[float]:
    generator = np.random.default_rng(seed)
    rows = ROWS * (steps + WARM_UP)
    encoded = [{"input_ids": generator.integers(1000, 30000, LENGTH).tolist()} for _ in range(rows)]
    split = Split([("",)] * rows, generator.integers(0, 2, rows), encoded)
    kind = Classification(("no", "yes"), "accuracy")
    task = Task("random", kind, ("text",), "label", split, split, split, split, [])
    supernet = SuperNetwork(make_model())
    space = make_space("small", supernet.blueprint.dims, unit_multiple=32)
    strategy = make_strategy(name, supernet.full, space.smallest, lambda g, _: space.sample_architecture(g))
    timer = StepTimer()
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe(epochs=1, learning_rate=1e-5, batch_size=ROWS, seed=seed)
        trainer = SuperNetTrainer(
            supernet,
            strategy,
            recipe,
            task,
            Path(folder),
            teacher=make_model() if strategy.needs_teacher else None,
            callbacks=[timer],
        )
        trainer.run()
    return timer.seconds[WARM_UP:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES), choices=list(STRATEGIES))
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in options.strategies}
    for round_number in range(options.rounds):
        for name, found in seconds.items():
            found += time_steps(name, options.steps, round_number)
    full = statistics.mean(seconds["standard"])
    costs = {name: statistics.mean(found) / full for name, found in seconds.items()}
    rows = [["strategy", "mean ms a step", "in full steps"]]
    rows += [
        [name, f"{statistics.mean(seconds[name]) * 1e3:.0f}", f"{cost:.2f}"] for name, cost in costs.items()
    ]
    write_results(
        Path(__file__).parent,
        "step_cost",
        {"seconds": seconds, "cost_in_full_steps": costs},
        rows,
        "Cost of one optimizer step by strategy; SMALL space, two random sub-networks.",
    )


if __name__ == "__main__":
    main()
