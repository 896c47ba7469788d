"""What a checkpoint's folder contains, and a clear error where it is not a model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from compresskit.errors import ConfigurationError, some

CONFIG = "config.json"
ADAPTER = "adapter_config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
# As transformers looks for them: the first that is there is loaded.
WEIGHT_FILES = tuple(f"{name}{end}" for name in WEIGHTS for end in ("", ".index.json"))
_LFS = b"version https://git-lfs"


def check_folder(source: str) -> None:
    """Raise ConfigurationError where `source` is a path without a model; hub ids are left to the hub."""
    folder = Path(source)
    if not folder.exists():
        if source.startswith(("/", ".", "~")):  # no hub id looks like this
            raise ConfigurationError(
                f"model {source!r} does not exist; give a folder with config.json, weights and tokenizer, or "
                "a hub id such as google-bert/bert-base-uncased."
            )
        return
    if not folder.is_dir():
        raise ConfigurationError(
            f"model {source!r} is a file; give the folder that holds it, with config.json and tokenizer."
        )
    if (folder / ADAPTER).exists():
        raise ConfigurationError(
            f"model {source!r} holds an adapter ({ADAPTER}), not a whole model: load it on its base model, "
            "merge it (peft: `merge_and_unload()`) and save that. If its weights are merged already, remove "
            f"{ADAPTER}."
        )
    if not (folder / CONFIG).exists():
        raise ConfigurationError(_no_config(source, folder))
    _check_pointers(source, folder, (CONFIG, "tokenizer.json", "vocab.txt", "vocab.json"))


def check_weight_files(source: str) -> None:
    """Raise ConfigurationError where the folder `source` has no whole file of weights."""
    folder = Path(source)
    if not folder.is_dir():
        return
    present = next((name for name in WEIGHT_FILES if (folder / name).exists()), None)
    if present is None:
        raise ConfigurationError(
            f"model {source!r} has no weights: neither {' nor '.join(WEIGHTS)}, whole or in shards with an "
            f"index, lies beside its {CONFIG}, but {_listed(folder)}. Save the PyTorch model there with "
            "`save_pretrained`."
        )
    _check_pointers(source, folder, WEIGHTS)
    if present not in WEIGHTS:
        _check_shards(source, folder, present)


def read_shards(source: str, index: Path) -> list[str]:
    """The files that an index of weights names. Raises ConfigurationError where it is damaged."""
    try:
        shards = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
        if not shards or not all(isinstance(name, str) for name in shards):
            raise ValueError("it names no files")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(
            f"{index.name} of model {source!r} is damaged ({error}); copy the checkpoint again."
        ) from error
    return shards


def _check_shards(source: str, folder: Path, index: str) -> None:
    shards = read_shards(source, folder / index)
    if absent := [name for name in shards if not (folder / name).exists()]:
        raise ConfigurationError(
            f"model {source!r} lacks {len(absent)} of its {len(shards)} files of weights: "
            f"{some(absent, 6)}; copy the checkpoint again."
        )
    _check_pointers(source, folder, shards)


def _check_pointers(source: str, folder: Path, names: Iterable[str]) -> None:
    """A repository that was cloned without Git LFS has a few lines of text in place of each large file."""
    for name in names:
        path = folder / name
        if path.is_file() and path.stat().st_size < 1024 and path.read_bytes().startswith(_LFS):
            raise ConfigurationError(
                f"{name} of model {source!r} is a pointer of Git LFS, not the file itself; fetch it with "
                "`git lfs pull`."
            )


def _no_config(source: str, folder: Path) -> str:
    inner = sorted({path.parent for path in (*folder.glob(f"*/{CONFIG}"), *folder.glob(f"*/*/{CONFIG}"))})
    if inner:
        newest = max(inner, key=lambda path: (_step(path), -len(path.parts), path.name))
        return (
            f"model {source!r} has no {CONFIG}, but folders in it have one: "
            f"{some((str(path.relative_to(folder)) for path in inner), 6)}. Give one of them, such as "
            f"--model {newest}."
        )
    if partial := sorted(path.parent.name for path in folder.glob(f"*/{ADAPTER}")):
        return (
            f"model {source!r} has no {CONFIG}, but adapters in {some(partial, 6)}: merge one into its base "
            "model (peft: `merge_and_unload()`) and save that."
        )
    return (
        f"model {source!r} is neither a folder with a {CONFIG} nor a model of the hub: it holds "
        f"{_listed(folder)}. Save the model there with `save_pretrained`, and its tokenizer."
    )


def _step(path: Path) -> int:
    match = re.fullmatch(r"checkpoint-(\d+)", path.name)
    return int(match[1]) if match else -1


def _listed(folder: Path) -> str:
    return some(sorted(path.name for path in folder.iterdir()), 6) or "nothing"
