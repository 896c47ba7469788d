"""The transformers classes of a task and of a saved model."""

from __future__ import annotations

from typing import Any

import transformers
from optimum.exporters.tasks import TasksManager


def class_for(hub_task: str) -> Any:
    """The class that loads a model for a task, by Optimum."""
    return TasksManager.get_model_class_for_task(hub_task)


def head_of(hub_task: str) -> str:
    """How the names of classes of models for a task end, such as ForMultipleChoice."""
    return str(class_for(hub_task).__name__).removeprefix("AutoModel")


def class_of(config: Any) -> Any:
    """The class of the model that `save_pretrained` wrote with this configuration."""
    return getattr(transformers, config.architectures[0])
