"""How a model of sentence-transformers makes one vector of a text. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from compresskit.errors import ConfigurationError, one_of

POOLINGS = ("mean", "cls", "max", "lasttoken")
MODULES, POOLING, TRANSFORMER, MODEL = (
    *("modules.json", "1_Pooling/config.json", "sentence_bert_config.json"),
    "config_sentence_transformers.json",
)
# Modules by the last part of their class; what follows the vector has no weights.
_KINDS = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True)
class Sentence:
    """`pooling`: one of POOLINGS; `normalize`: vectors have length 1. `prompts`: (name, text).
    `default_prompt`: the name of the one that stands before every text, if any.

    `refusal`: why the model that it was read of cannot be computed; empty: it can. `max_length`: tokens that
    it was made for.
    """

    pooling: str = "mean"
    normalize: bool = True
    prompts: tuple[tuple[str, str], ...] = ()
    default_prompt: str | None = None
    max_length: int | None = None
    refusal: str = ""

    def __post_init__(self) -> None:
        prompts = tuple((name, text) for name, text in self.prompts)
        object.__setattr__(self, "prompts", prompts)  # JSON has lists

    @property
    def prompt(self) -> str:
        """What stands before every text."""
        return dict(self.prompts).get(self.default_prompt or "", "")

    def check(self) -> None:
        """ConfigurationError for what cannot be computed."""
        if self.refusal:
            raise ConfigurationError(self.refusal)
        if self.pooling not in POOLINGS:
            raise ConfigurationError(
                f"{one_of('pooling', self.pooling, POOLINGS)} Name one of them with --pooling."
            )

    def files(self, width: int, max_length: int | None) -> Mapping[str, Any]:
        """The files of sentence-transformers beside a model whose vectors have `width` numbers, as JSON."""
        names = _KINDS if self.normalize else _KINDS[:2]
        folders = ("", "1_Pooling", "2_Normalize")
        modules = [
            {"idx": place, "name": str(place), "path": path, "type": f"sentence_transformers.models.{name}"}
            for place, (name, path) in enumerate(zip(names, folders, strict=False))
        ]
        modes = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens", "lasttoken": "lasttoken"}
        pooling = {f"pooling_mode_{name}": mode == self.pooling for mode, name in modes.items()}
        model = {"prompts": dict(self.prompts), "default_prompt_name": self.default_prompt}
        return {
            MODULES: modules,
            POOLING: {"word_embedding_dimension": width, **pooling},
            TRANSFORMER: {"max_seq_length": max_length or self.max_length, "do_lower_case": False},
            MODEL: {**model, "similarity_fn_name": "cosine"},
        }

    def to_json(self) -> dict[str, Any]:
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**found, "prompts": [list(pair) for pair in self.prompts]}


def read_sentence(files: Mapping[str, str]) -> Sentence | None:
    """What the files of a model (path within its folder -> text) say; None without modules.json.

    What cannot be computed is in `refusal`: it only matters to whom the vectors matter.
    """
    if MODULES not in files:
        return None
    try:
        modules = _modules(files[MODULES])
        pooling = json.loads(files.get(_pooling_file(modules), "{}"))
        transformer, model = (json.loads(files.get(name, "{}")) for name in (TRANSFORMER, MODEL))
        prompts = tuple((model.get("prompts") or {}).items())
        found = Sentence(
            _mode(pooling),
            any(kind == "Normalize" for kind, _ in modules),
            tuple((str(name), str(text)) for name, text in prompts),
            model.get("default_prompt_name"),
            transformer.get("max_seq_length"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Sentence(refusal=f"the model's files of sentence-transformers are damaged: {error!r}.")
    return replace(found, refusal=_refusal(found, modules, pooling, transformer))


def pooling_file(modules: str) -> str:
    """Where the settings of pooling lie, by the text of modules.json; as usual where it does not say."""
    try:
        return _pooling_file(_modules(modules))
    except (ValueError, KeyError, TypeError, AttributeError):
        return POOLING


def _modules(text: str) -> list[tuple[str, str]]:
    """Kind and folder of each module of modules.json."""
    return [(str(item["type"]).rpartition(".")[2], item["path"]) for item in json.loads(text)]


def _pooling_file(modules: list[tuple[str, str]]) -> str:
    return next((f"{path}/config.json" for kind, path in modules if kind == "Pooling"), POOLING)


def _mode(pooling: Mapping[str, Any]) -> str:
    """The mode by name since version 5, before by one truth value each; several are joined with +."""
    if "pooling_mode" in pooling:
        given = pooling["pooling_mode"]
        return given if isinstance(given, str) else "+".join(given)
    named = {"mean_tokens": "mean", "cls_token": "cls", "max_tokens": "max"}
    keys = [key.removeprefix("pooling_mode_") for key, value in pooling.items() if value is True]
    found = [named.get(key, key) for key in keys if f"pooling_mode_{key}" in pooling]
    return "+".join(found) or "mean"


def _refusal(
    found: Sentence,
    modules: list[tuple[str, str]],
    pooling: Mapping[str, Any],
    transformer: Mapping[str, Any],
) -> str:
    kinds = tuple(kind for kind, _ in modules)
    if kinds not in (_KINDS, _KINDS[:2]) or modules[0][1]:
        return (
            f"the model's modules are {', '.join(kinds)}; permitted: {', '.join(_KINDS[:2])}, and Normalize, "
            "with the transformer in the folder itself. Give a model without others: tools that pool hidden "
            "states themselves would leave out the weights of a Dense."
        )
    if found.prompt and pooling.get("include_prompt") is False:
        return "the model leaves its prompt out of pooling (include_prompt), which its graph cannot."
    if transformer.get("do_lower_case"):
        return "the model lowers the case of texts before its tokenizer; set that in tokenizer.json instead."
    return ""
