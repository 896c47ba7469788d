"""The transformers classes of a task and of a saved model."""

from __future__ import annotations

from typing import Any

import transformers
from optimum.exporters.tasks import TasksManager

from compresskit.supernet.embedder import SETTINGS, AutoEmbedder, embedder_class

EMBEDDING = "feature-extraction"


def class_for(hub_task: str) -> Any:
    """The class that loads a model for a task, by Optimum; of vectors, one that pools them."""
    return AutoEmbedder if hub_task == EMBEDDING else TasksManager.get_model_class_for_task(hub_task)


def head_of(hub_task: str) -> str:
    """How the names of a task's classes end, such as ForMultipleChoice; of vectors, as Optimum's own."""
    if hub_task == EMBEDDING:
        return "ForFeatureExtraction"
    return str(class_for(hub_task).__name__).removeprefix("AutoModel")


def class_of(config: Any) -> Any:
    """The class of the model that `save_pretrained` wrote with this configuration."""
    if hasattr(config, SETTINGS) and "For" not in config.architectures[0]:
        return embedder_class(config.__class__)
    return getattr(transformers, config.architectures[0])
