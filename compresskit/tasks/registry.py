"""The tasks that there are: every file of this folder that names its class `TASK`."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path

from compresskit import tasks
from compresskit.data.sources import load_source
from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, DataError, one_of
from compresskit.tasks.base import Reading, TaskKind
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


def read_data(dataset: str | Path, kind: str | None, options: DataOptions) -> tuple[str, Reading]:
    """Name and rows of a data set for the task `kind`, or for the one whose it is.

    Raises DataError for the data, ConfigurationError for names that are not known.
    """
    if kind is not None:
        chosen = kind_named(kind)
        source = chosen.load(dataset)
        return source.name, chosen.read(source, replace(options, dataset=source.name))
    try:
        source = load_source(dataset)
        options = replace(options, dataset=source.name)
        return source.name, kind_for(source.splits["train"], options).read(source, options)
    except DataError as error:
        if options.sentence is None:
            raise
        vectors = next(name for name, each in task_kinds().items() if each.is_vector)
        raise DataError(
            f"{error} The model is one of sentence-transformers: to make its vectors faster, give "
            f"--task {vectors}; texts without labels are enough for that."
        ) from None
