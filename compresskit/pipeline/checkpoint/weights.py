"""Weights of a checkpoint, and what transformers' loading report says of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import transformers
from torch import nn

from compresskit.errors import CompresskitError, ConfigurationError, reason_of, some
from compresskit.exhausted import is_out_of_memory
from compresskit.families import families, family_for
from compresskit.inputs import POSITIONS, SEGMENT_IDS
from compresskit.pipeline.checkpoint.folder import check_weight_files

_GENERIC = "model"  # a name that wrappers use as well as families
# What wraps a module in training, wherever in a name; such a name is not the model's.
_WRAPPERS = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
_BUFFERS = (POSITIONS, SEGMENT_IDS)  # of older versions; computed again


@dataclass(frozen=True)
class _Report:
    """Names of weights; `mismatched` has the shapes (in the file, in the model)."""

    missing: frozenset[str]
    unexpected: frozenset[str]
    mismatched: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]


class Loaded(NamedTuple):
    """`has_head`: no weight of the head had to be drawn."""

    model: nn.Module
    has_head: bool
    notes: tuple[str, ...]


def load_classifier(source: str, config: Any, model_class: Any, *, keeps_head: bool) -> Loaded:
    """The model of a transformers `model_class` in float32, with notes on its weights.

    With `keeps_head` every weight must be there; without, the head and what pools for it may be new, and
    are drawn by torch's present seed. Raises ConfigurationError for weights that are absent, damaged, not
    finite, or not those of `config`.
    """
    check_weight_files(source)
    model, report = _load(source, config, model_class)
    notes: list[str] = []
    if renaming := _renaming(report, model):
        model, report = _load(source, config, model_class, renaming)
        told = " and ".join(repr(pattern.strip("^").replace("\\", "")) for pattern in renaming)
        notes.append(f"names of its weights hold {told}, of a wrapper in training: taken off")
    _check(source, model, report, keeps_head)
    if left := sorted(name for name in report.unexpected if keeps_head and not _is_buffer(name)):
        notes.append(f"its weights {some(left, 4)} are not used by {type(model).__name__}")
    pooled = [name for name in report.missing if _part(name, model) in _poolers(model)]
    if pooled and not keeps_head:
        notes.append(f"its pooler is new, as its head is: {some(sorted(pooled), 4)} are not in its weights")
    _check_finite(source, model)
    has_head = all(name in pooled or _inside(name, model) for name in report.missing)
    return Loaded(model, has_head, tuple(notes))


def _load(
    source: str, config: Any, model_class: Any, renaming: Mapping[str, str] | None = None
) -> tuple[nn.Module, _Report]:
    try:
        model, info = model_class.from_pretrained(
            source,
            config=config,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,  # they are reported below, with their shapes
            output_loading_info=True,
            **({"key_mapping": dict(renaming)} if renaming else {}),
        )
    except CompresskitError:
        raise
    except Exception as error:  # of safetensors, pickle, torch, the hub and transformers
        if is_out_of_memory(error):
            raise
        raise ConfigurationError(
            f"weights of model {source!r} cannot be read: {_reason(error)}. Copy or download them again, "
            "or save the model with `save_pretrained`."
        ) from error
    if renaming and hasattr(model, "_weight_conversions"):
        del model._weight_conversions  # `save_pretrained` would write the wrapper's names again
    mismatched = {name: (tuple(found), tuple(wanted)) for name, found, wanted in info["mismatched_keys"]}
    return model, _Report(frozenset(info["missing_keys"]), frozenset(info["unexpected_keys"]), mismatched)


def _renaming(report: _Report, model: Any) -> dict[str, str]:
    """Patterns of names -> what takes their place, where so the missing weights are found."""
    base = f"{model.base_model_prefix}."
    wanted = {name for name in report.missing if name.startswith(base)}
    wanted |= {name.removeprefix(base) for name in wanted}
    bare = [".".join(part for part in key.split(".") if part not in _WRAPPERS) for key in report.unexpected]
    leading = Counter(prefix for key in bare if (prefix := _prefix(key, wanted)) is not None)
    if not leading:
        return {}
    prefix = leading.most_common(1)[0][0]
    others = {family.stem.partition(".")[0] for family in families().values()}
    others -= {model.base_model_prefix, _GENERIC}
    if others & set(prefix.split(".")):
        return {}  # another family's weights: their names fit, what they compute does not
    inner = [name for name in _WRAPPERS if any(name in key.split(".") for key in report.unexpected)]
    found = {rf"{name}\.": "" for name in inner}
    return found | ({f"^{re.escape(prefix)}": ""} if prefix else {})


def _prefix(key: str, wanted: Collection[str]) -> str | None:
    """What stands before one of `wanted` in `key`, the shortest such; None where none is in it."""
    parts = key.split(".")
    for start in range(len(parts)):
        if ".".join(parts[start:]) in wanted:
            return ".".join([*parts[:start], ""]) if start else ""
    return None


def _check(source: str, model: Any, report: _Report, keeps_head: bool) -> None:
    """ConfigurationError for weights that would be drawn at random, or dropped, without need."""
    computed = f"transformers {transformers.__version__}, by its config.json"
    odd = {name: shapes for name, shapes in report.mismatched.items() if keeps_head or _inside(name, model)}
    if odd:
        name, (found, wanted) = sorted(odd.items())[0]
        inside = _inside(name, model)
        raise ConfigurationError(
            f"the weight {name} of model {source!r} has shape {found}, but {computed}, needs {wanted}"
            + (f" ({len(odd)} weights in all)" if len(odd) > 1 else "")
            + (
                ". Correct the sizes in config.json."
                if inside
                else f". Its head has {found[0]} outputs: correct id2label and label2id in config.json."
            )
        )
    absent = sorted(name for name in report.missing if keeps_head or _inside(name, model))
    unread = {
        name.removeprefix(f"{model.base_model_prefix}.")
        for name in family_for(model.config.model_type).unread
    }
    unknown = (
        name for name in report.unexpected if name.removeprefix(f"{model.base_model_prefix}.") not in unread
    )
    lost = sorted(name for name in unknown if _inside(name, model) and not _is_buffer(name))
    if absent and any(_inside(name, model) for name in absent):
        names = f"; it has names such as {sorted(report.unexpected)[0]}" if report.unexpected else ""
        remedy = (
            "Save the model itself, not what wraps it" if names else "Correct config.json, or save it again"
        )
        raise ConfigurationError(
            f"weights of model {source!r} lack {len(absent)} of the {len(list(model.named_parameters()))} "
            f"parameters that {computed}, needs, such as {absent[0]}{names}. {remedy}, with "
            "`save_pretrained`."
        )
    if absent:
        raise ConfigurationError(
            f"config.json of model {source!r} names a {type(model).__name__}, but its weights lack the head: "
            f"{some(absent, 4)}. Save the whole fine-tuned model; or, for a new head to be trained, remove "
            "architectures from config.json."
        )
    if lost:
        raise ConfigurationError(
            f"weights of model {source!r} have no place in the model that {computed}, computes: "
            f"{some(lost, 4)}. It would be another model. Correct config.json (num_hidden_layers, ...), "
            "or give a model without such layers."
        )


def _inside(name: str, model: Any) -> bool:
    """Whether a weight is of embeddings or layers, not of a head or of what pools for it."""
    parts = {part for part, _ in model.base_model.named_children()}
    return _part(name, model) in parts - _poolers(model)


def _part(name: str, model: Any) -> str:
    """The part of the base model, or of the whole one, that a weight belongs to."""
    return name.removeprefix(f"{model.base_model_prefix}.").partition(".")[0]


def _poolers(model: Any) -> set[str]:
    """Parts of the base model that compute once a text: what a head reads, and is trained with it."""
    base = f"{model.base_model_prefix}."
    once = family_for(model.config.model_type).once_linears
    return {_part(linear, model) for linear in once if linear.startswith(base)}


def _is_buffer(name: str) -> bool:
    return name.rpartition(".")[2] in _BUFFERS


def _check_finite(source: str, model: nn.Module) -> None:
    for name, value in model.named_parameters():
        if not torch.isfinite(value).all():
            raise ConfigurationError(
                f"the weight {name} of model {source!r} holds values that are not finite: its training "
                "diverged, or its file is damaged. Give another checkpoint of it."
            )


def _reason(error: Exception) -> str:
    if "weights_only" in str(error):
        return "they hold Python objects beside tensors, which are not loaded, since they may run code"
    return reason_of(error)
