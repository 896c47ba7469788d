"""The head that a checkpoint brings: for which task it is, and the names of its outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from compresskit.errors import ConfigurationError, UnsupportedModelError, one_of, some
from compresskit.supernet.classes import head_of
from compresskit.tasks.registry import task_kinds

_PROBLEMS = ("regression", "single_label_classification", "multi_label_classification")


class Head(NamedTuple):
    """`label2id`: output of each class name, of a head for `hub_task`; None where no task has its head."""

    label2id: dict[str, int] | None
    hub_task: str | None
    notes: tuple[str, ...]


def read_head(source: str, raw: Mapping[str, Any], config: Any) -> Head:
    """The head that config.json, as written in `raw`, tells of; `config` is given its names.

    Raises ConfigurationError for names that contradict each other, UnsupportedModelError for a head whose
    problem type no task has, or that gives a row several numbers.
    """
    architectures = architectures_of(raw)
    tasks = {kind.hub_task for kind in task_kinds().values()}
    found = [task for task in sorted(tasks) if any(name.endswith(head_of(task)) for name in architectures)]
    if not found:
        others = [name for name in architectures if "For" in name and "PreTraining" not in name]
        others = [name for name in others if not name.endswith("MaskedLM")]
        note = f"its head ({', '.join(others)}) is not for a task of compresskit: a new one is trained"
        return Head(None, None, (note,) if others else ())
    names, notes = _names(source, raw, config)
    _check_problem(source, config.problem_type, len(names), found[0])
    config.id2label = dict(enumerate(names))
    config.label2id = {name: i for i, name in enumerate(names)}
    return Head(dict(config.label2id), found[0], notes)


def architectures_of(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the model's classes; none where config.json does not say."""
    named = raw.get("architectures") or ()
    return (named,) if isinstance(named, str) else tuple(map(str, named))


def _names(source: str, raw: Mapping[str, Any], config: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names by output. transformers 5 keeps `id2label` alone, and drops a `label2id` that is alone."""
    by_id = _in_order(source, "id2label", raw.get("id2label"), turned=False)
    by_name = _in_order(source, "label2id", raw.get("label2id"), turned=True)
    if by_id is None and by_name is None:
        return tuple(f"LABEL_{i}" for i in range(config.num_labels)), ()
    if by_id is None or by_name is None or by_id == by_name:
        found = by_id or by_name
        assert found is not None
        return found, ()
    if len(by_id) == len(by_name) and (_is_default(by_id) or _is_default(by_name)):
        kept, name = (by_name, "label2id") if _is_default(by_id) else (by_id, "id2label")
        return kept, (
            f"class names are those of {name} in config.json; the other map has LABEL_0, ... alone",
        )
    raise ConfigurationError(
        f"config.json of model {source!r} names its classes twice, and not alike: id2label says "
        f"{some(by_id, 8)}, label2id {some(by_name, 8)}. Correct the one that is wrong."
    )


def _in_order(source: str, key: str, value: Any, *, turned: bool) -> tuple[str, ...] | None:
    """The names of one map by output; None where there is no map."""
    if not value:
        return None
    try:
        pairs = [(int(i), name) for name, i in value.items()] if turned else list(value.items())
        found = {int(i): str(name) for i, name in pairs}
    except (AttributeError, TypeError, ValueError):
        found = {}
    names = tuple(found[i] for i in sorted(found))
    if sorted(found) != list(range(len(value))) or len(set(names)) != len(names):
        raise ConfigurationError(
            f"{key} of model {source!r} is {some(value.items() if isinstance(value, dict) else [value], 8)}; "
            "permitted: one name for each of the ids 0, 1, ..., all different. Correct it in config.json."
        )
    return names


def _is_default(names: tuple[str, ...]) -> bool:
    return all(re.fullmatch(r"LABEL_\d+", name) for name in names)


def _check_problem(source: str, problem: Any, outputs: int, hub_task: str) -> None:
    if problem is not None and problem not in _PROBLEMS:
        raise ConfigurationError(
            one_of(f"problem_type of model {source!r}", problem, _PROBLEMS) + " Correct it in config.json."
        )
    kinds = [kind for kind in task_kinds().values() if kind.hub_task == hub_task]
    known = {name for kind in kinds for name in kind.problem_types}
    if problem not in known or (problem == "regression" and outputs > 1):
        raise UnsupportedModelError(
            f"the head of model {source!r} is of problem_type {problem!r} with {outputs} outputs, which no "
            f"task has; permitted: {', '.join(sorted(filter(None, known)))}, regression with one output. "
            "Give a model with such a head, or one without a head."
        )
