"""The tasks that there are: every file of this folder that names its class `TASK`."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from compresskit import tasks
from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, one_of
from compresskit.tasks.base import TaskKind
from compresskit.tasks.examples import DataOptions

DEFAULT = "classification"


@cache
def task_kinds() -> Mapping[str, type[TaskKind]]:
    """Classes by name."""
    modules = [
        import_module(f"{tasks.__name__}.{item.name}") for item in pkgutil.iter_modules(tasks.__path__)
    ]
    kinds = [module.TASK for module in modules if hasattr(module, "TASK")]
    return {kind.name: kind for kind in kinds}


def kind_named(name: str) -> type[TaskKind]:
    """ConfigurationError for a name that is not known."""
    if name not in task_kinds():
        raise ConfigurationError(one_of("task", name, task_kinds()))
    return task_kinds()[name]


def kind_for(table: Table, options: DataOptions) -> type[TaskKind]:
    """The task of a training table: the one whose it clearly is, else classification."""
    kinds = sorted(task_kinds().values(), key=lambda kind: not kind.has_layout)
    fitting = (kind for kind in kinds if kind.fits(table, options))
    return next(fitting, task_kinds()[DEFAULT])
