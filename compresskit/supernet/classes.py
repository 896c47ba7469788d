"""The transformers classes of a task and of a saved model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from optimum.exporters.tasks import TasksManager
from transformers import AutoConfig, PreTrainedConfig

from compresskit.families import family_for
from compresskit.families.registry import load_classes
from compresskit.supernet.embedder import SETTINGS, AutoEmbedder, embedder_class
from compresskit.tasks.registry import task_kinds

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
    name = config.architectures[0]
    return getattr(transformers, name, None) or _registered(config.__class__)[name]


def config_of(folder: str | Path) -> Any:
    """The configuration that a folder of ours holds, whose classes transformers knows from here on."""
    raw, _ = PreTrainedConfig.get_config_dict(folder)
    load_classes(family_for(raw["model_type"]))
    return AutoConfig.from_pretrained(folder)


def _registered(config_class: type[Any]) -> dict[str, type[Any]]:
    """Classes that transformers was told of for a configuration, by name."""
    tasks = {kind.hub_task for kind in task_kinds().values()} - {EMBEDDING}
    mappings = [class_for(task)._model_mapping for task in tasks]
    found = [mapping[config_class] for mapping in mappings if config_class in mapping]
    return {each.__name__: each for each in found}
