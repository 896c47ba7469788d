"""One rank of `test_distributed`: 20 steps on this rank's share of the rows, then save what came out."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch.utils.data import SequentialSampler

from compresskit.supernet.network import SuperNetwork
from compresskit.training import recipe as training
from compresskit.training.recipe import Recipe
from tests.training.make import make_model, make_task, make_trainer

STEPS, ROWS = 20, 8


def main(folder: Path, strategy: str, batch_size: int) -> None:
    torch.set_num_threads(1)
    training.has_fast_bf16 = lambda: False  # bit-equal sums are a matter of float32
    task = make_task(rows=STEPS * ROWS, length=9)
    supernet = SuperNetwork(make_model())
    recipe = Recipe(epochs=1.0, learning_rate=1e-4, batch_size=batch_size)
    trainer = make_trainer(strategy, folder, supernet, task, recipe)
    trainer._get_train_sampler = lambda *_: SequentialSampler(trainer.train_dataset)  # type: ignore
    drawn: list[str] = []
    lessons = trainer.strategy.lessons

    def recorded(step: int, progress: float, generator: object) -> object:
        found = lessons(step, progress, generator)  # type: ignore[arg-type]
        drawn.extend(lesson.architecture.signature for lesson in found)
        return found

    object.__setattr__(trainer.strategy, "lessons", recorded)
    trainer.run()
    rank = trainer.args.process_index
    parameters = {name: value.detach() for name, value in supernet.named_parameters()}
    assert trainer.state.global_step == STEPS
    torch.save({"drawn": drawn, "parameters": parameters}, folder / f"{trainer.args.world_size}-{rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
