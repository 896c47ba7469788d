"""A checkpoint's config.json: what it says, and what of it the installed transformers computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoModel, GenerationConfig, PreTrainedConfig

from compresskit.engine.export import input_names_of
from compresskit.errors import CompresskitError, ConfigurationError, UnsupportedModelError, reason_of
from compresskit.families import dimensions_of, families, family_for
from compresskit.families.registry import load_classes
from compresskit.tasks.padding import without_padding

# Of older configurations; nothing that an encoder computes depends on them.
_WITHOUT_EFFECT = {
    *("_name_or_path", "_model_name_or_path", "_commit_hash", "_num_labels", "num_labels", "dtype"),
    *("architectures", "model_type"),
    *("torch_dtype", "transformers_version", "finetuning_task", "task_specific_params", "torchscript"),
    *("gradient_checkpointing", "use_bfloat16", "output_past", "output_attentions", "directionality"),
    *("pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head"),
    *("pooler_type", "tie_weights_", "summary_type", "summary_use_proj", "summary_activation"),
    *("summary_last_dropout", "tokenizer_class", "prefix", "sentence_transformers", "n_embd"),
}


class Configuration(NamedTuple):
    """`config` is transformers' own; `raw` is config.json as it was written; `inputs` a model's, by name."""

    config: Any
    raw: Mapping[str, Any]
    inputs: tuple[str, ...]
    notes: tuple[str, ...]


def read_configuration(source: str) -> Configuration:
    """Raises UnsupportedModelError for what is not computed here, ConfigurationError for what is damaged."""
    raw = _raw(source)
    if not isinstance(raw.get("model_type"), str):
        raise ConfigurationError(
            f"config.json of model {source!r} names no model_type; add one of "
            f"{', '.join(sorted(families()))}."
        )
    load_classes(family_for(raw["model_type"]))
    _check_computed(source, raw)
    try:
        config = AutoConfig.from_pretrained(source)
    except Exception as error:  # whatever a damaged value leads to
        raise _damaged(source, error) from error
    if getattr(config, "is_decoder", False):
        raise UnsupportedModelError(f"model {source!r} is a decoder; give an encoder (is_decoder false).")
    for name, value in family_for(config.model_type).settings.items():
        setattr(config, name, value)
    if hasattr(config, "use_cache"):
        config.use_cache = False  # of earlier tokens: a text is read at once
    # These change what a forward returns, or how it is cut up, and not what it computes.
    config.return_dict, config.output_hidden_states = True, False
    config.output_attentions, config.chunk_size_feed_forward = False, 0
    return Configuration(config, raw, _inputs(source, config), _notes(raw, config))


def _raw(source: str) -> Mapping[str, Any]:
    try:
        raw, _ = PreTrainedConfig.get_config_dict(source)
    except OSError as error:
        if "valid JSON" in str(error):
            raise _damaged(source, error) from error
        raise ConfigurationError(
            f"model {source!r} is neither a folder with a config.json nor a model of the hub that can be "
            f"reached: {reason_of(error)}."
        ) from error
    except Exception as error:
        raise _damaged(source, error) from error
    if not isinstance(raw, dict):
        raise _damaged(source, TypeError(f"it holds {type(raw).__name__}, not an object"))
    return raw


def _check_computed(source: str, raw: Mapping[str, Any]) -> None:
    """transformers 4 computed these; 5 drops them and their weights without an error."""
    version = transformers.__version__
    positions = raw.get("position_embedding_type") or "absolute"
    if positions != "absolute":
        raise UnsupportedModelError(
            f"model {source!r} has relative positions (position_embedding_type {positions!r}), which "
            f"transformers {version} does not compute: it would be another model. Give one with absolute "
            "positions."
        )
    if raw.get("pruned_heads"):
        raise UnsupportedModelError(
            f"model {source!r} has heads that transformers 4 pruned (pruned_heads {raw['pruned_heads']}), "
            f"which transformers {version} does not load; give the model before pruning."
        )
    if by_length := _by_length(raw.get("rope_parameters") or raw.get("rope_scaling")):
        raise UnsupportedModelError(
            f"model {source!r} has rotations that depend on the length of a text (rope_type {by_length!r}), "
            "which one graph cannot hold. If texts are no longer than the model was first trained for, set "
            "rope_type to 'default' in config.json."
        )
    if quantized := raw.get("quantization_config"):
        how = quantized.get("quant_method", "") if isinstance(quantized, dict) else quantized
        raise UnsupportedModelError(
            f"model {source!r} is quantized ({how}), and quantized weights cannot be trained or cut; give "
            "the float model that it was made from."
        )


def _by_length(rope: Any) -> str | None:
    """The kind of rotations that depends on the length, where one does; kinds may stand for layers apart."""
    if not isinstance(rope, dict):
        return None
    found = [rope.get("rope_type", rope.get("type")), *map(_by_length, rope.values())]
    return next((kind for kind in found if kind in ("dynamic", "longrope")), None)


def _inputs(source: str, config: Any) -> tuple[str, ...]:
    """Names of the inputs of the model's graph. ConfigurationError where no model can be built."""
    try:
        sizes = dimensions_of(config)
        least = min(sizes.num_layers, sizes.num_heads, sizes.num_units, sizes.hidden_size)
        least = min(least, getattr(config, "vocab_size", least))
        if least < 1:
            raise ValueError(f"a size is {least}; permitted: 1 or more")
        with torch.device("meta"):
            # Whether its padding id fits is told apart, and in the words of tokenizers.
            empty: nn.Module = AutoModel.from_config(without_padding(config))
    except CompresskitError:
        raise
    except Exception as error:  # whatever a value that does not fit leads to
        raise _damaged(source, error) from error
    return input_names_of(empty)


def _notes(raw: Mapping[str, Any], config: Any) -> tuple[str, ...]:
    notes = []
    if raw.get("auto_map"):
        notes.append(
            "config.json names code of its own (auto_map), which is not run: the model is transformers' own "
            f"{config.model_type}"
        )
    known = {*type(config)().to_dict(), *type(config).attribute_map, *GenerationConfig().to_dict()}
    known |= _WITHOUT_EFFECT | {"position_embedding_type", "pruned_heads", "quantization_config", "auto_map"}
    unknown = sorted(
        name
        for name, value in raw.items()
        if value and name not in known and not _is_older_name(type(config), name, value)
    )
    if unknown:
        notes.append(
            f"config.json sets {', '.join(unknown)}, which transformers {transformers.__version__} does not "
            f"know for {config.model_type}: if the model was trained with it, it is another one here"
        )
    return tuple(notes)


def _is_older_name(kind: type[PreTrainedConfig], name: str, value: Any) -> bool:
    """Whether another number under this name changes what else a configuration holds."""
    if not isinstance(value, int | float):
        return False
    try:
        found = [kind(**{name: number}).to_dict() for number in (value, value + 1)]
    except Exception:  # the class looks at it, and refuses it
        return True
    return bool(found[0] | {name: None} != found[1] | {name: None})


def _damaged(source: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"config.json of model {source!r} cannot be used: {reason_of(error)}. Correct it, or take "
        "that of the model that it was made from."
    )
