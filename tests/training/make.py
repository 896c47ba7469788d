"""A small model, task and super-network for tests of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from compresskit.inputs import text_inputs
from compresskit.spaces import make_space
from compresskit.supernet.network import SuperNetwork
from compresskit.tasks.classification import Classification
from compresskit.tasks.task import Split, Task
from compresskit.training.recipe import Recipe
from compresskit.training.strategies import Strategy, make_strategy
from compresskit.training.trainer import SuperNetTrainer
from tests.families.test_bert import SIZES

PAD = 1
INPUTS = text_inputs(("input_ids", "attention_mask"), PAD)


def make_model(dropout: float = 0.0, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    config = BertConfig(
        **SIZES,
        num_labels=2,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        initializer_range=0.1,
    )
    return BertForSequenceClassification(config)  # type: ignore[no-any-return]


def make_split(rows: int, seed: int, length: int | None = None) -> Split:
    """Rows whose label says whether token 7 is in them; of `length` tokens, or of 4 to 12."""
    generator = np.random.default_rng(seed)
    encoded, labels = [], []
    for _ in range(rows):
        ids = generator.integers(8, 60, size=length or generator.integers(4, 13))
        label = int(generator.integers(2))
        if label:
            ids[generator.integers(1, len(ids))] = 7
        encoded.append({"input_ids": [int(i) for i in ids]})
        labels.append(label)
    return Split([("",)] * rows, np.asarray(labels), encoded)


def make_task(rows: int = 64, length: int | None = None) -> Task:
    validation = make_split(32, 1)
    return Task(
        name="seven",
        kind=Classification(("without", "with"), "accuracy"),
        inputs=INPUTS,
        text_columns=("text",),
        label_column="label",
        train=make_split(rows, 0, length),
        validation=validation,
        test=make_split(32, 2),
        search=validation,
        notes=[],
    )


def assert_trained_alike(one: nn.Module, other: nn.Module) -> None:
    """Weights differ by rounding alone.

    A key's bias moves no attention, so that its gradient is nothing but rounding, which Adam makes large.
    """
    found = other.state_dict()
    for name, value in one.state_dict().items():
        bound = 1e-4 if name.endswith("key.bias") else 1e-6
        torch.testing.assert_close(found[name], value, rtol=0, atol=bound, msg=name)


def strategy_of(name: str, supernet: SuperNetwork) -> Strategy:
    space = make_space("medium", supernet.blueprint.dims)
    return make_strategy(
        name, supernet.full, space.smallest, lambda generator, _: space.sample_architecture(generator)
    )


def make_trainer(
    name: str, folder: Path, supernet: SuperNetwork, task: Task, recipe: Recipe
) -> SuperNetTrainer:
    return SuperNetTrainer(
        supernet,
        strategy_of(name, supernet),
        recipe,
        task,
        folder,
        teacher=make_model(seed=1),
    )
