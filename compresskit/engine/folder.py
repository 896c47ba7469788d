"""Write an engine folder in the Hugging Face layout, completely or not at all."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from onnx import ModelProto
from torch import nn

from compresskit.bundle.loader import MODEL_FILE, Engine, load_engine
from compresskit.bundle.manifest import Manifest, hash_files, write_manifest
from compresskit.bundle.runtime import runtime_facts
from compresskit.engine.card import model_card
from compresskit.engine.readers import save_reader
from compresskit.errors import CompresskitError, ConfigurationError, EngineError
from compresskit.exhausted import is_disk_full
from compresskit.runs.atomic import sync_tree, write_error
from compresskit.supernet.embedder import width_of
from compresskit.tasks.encoding import position_limit

# An engine, loaded from its folder -> fields of its manifest.
Examine = Callable[[Engine], Mapping[str, Any]]
_PACKAGES = ("compresskit", "torch", "transformers", "onnx", "onnxruntime", "onnxruntime-gpu", "tokenizers")


def check_output(output: Path | str) -> None:
    """ConfigurationError unless `output` is new or an empty folder."""
    output = Path(output)
    if output.exists() and not output.is_dir():
        raise ConfigurationError(f"{output} is a file; give --output a new folder.")
    if output.is_dir() and any(output.iterdir()):
        raise ConfigurationError(f"{output} is not empty; give --output a new or an empty folder.")


def write_engine(
    output: Path | str,
    *,
    graph: ModelProto,
    model: nn.Module,
    reader: Any,
    manifest: Manifest,
    examine: Examine | None = None,
) -> Manifest:
    """Write graph, PyTorch weights, model card and manifest; returns the manifest as written.

    `model` is the pruned model, `graph` what runs, `reader` its tokenizer or image processor. `examine` is
    given the engine as it loads from what was written, and returns what the manifest shall say of it. The
    folder appears under its name when it is complete. Raises ConfigurationError if it is not empty,
    EngineError when the disk refuses.
    """
    check_output(output)
    with new_folder(output) as folder:
        return _fill(folder, graph, model, reader, manifest, examine)


@contextlib.contextmanager
def new_folder(output: Path | str) -> Iterator[Path]:
    """A folder to fill, which becomes `output` (absent or empty) when all of it was written.

    EngineError when the disk refuses; then, as after any other error, nothing is left.
    """
    output = Path(output)
    temporary: Path | None = None
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
        yield temporary
        sync_tree(temporary)
        temporary.chmod(0o755)
        if output.is_dir():
            output.rmdir()
        temporary.rename(output)
        temporary = None
    except Exception as error:  # of a full disk safetensors and tokenizers tell in exceptions of their own
        if isinstance(error, CompresskitError) or not (isinstance(error, OSError) or is_disk_full(error)):
            raise
        raise EngineError(str(write_error(output, error, written=temporary))) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _fill(
    folder: Path,
    graph: ModelProto,
    model: nn.Module,
    reader: Any,
    manifest: Manifest,
    examine: Examine | None,
) -> Manifest:
    path = folder / MODEL_FILE
    path.parent.mkdir()
    data = graph.SerializeToString()
    path.write_bytes(data)
    config: Any = model.config
    config.save_pretrained(folder)
    save_reader(reader, folder, manifest.max_length or position_limit(config.to_dict()))
    save_weights(model, folder / "model.safetensors")
    for name, value in manifest.kind.files(width_of(config), manifest.max_length).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    manifest = replace(manifest, runtime=runtime_facts(graph))
    if examine is not None:
        write_manifest(folder, manifest)
        manifest = replace(manifest, **examine(load_engine(folder, check_hashes=False)))
    (folder / "README.md").write_text(model_card(manifest, config, len(data)), encoding="utf-8")
    return finish(folder, manifest)


def finish(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest beside the files that are all there, with their hashes; returns it as written."""
    manifest = replace(
        manifest,
        versions={**package_versions(), **manifest.versions},
        device=manifest.device or {"machine": platform.machine(), "system": platform.system()},
        files=hash_files(folder),
    )
    write_manifest(folder, manifest)
    return manifest


def save_weights(model: nn.Module, path: Path) -> None:
    """Parameters under transformers' names.

    A sub-layer that was pruned away whole stands as tensors without elements: transformers'
    `from_pretrained` then fails on their sizes and does not draw new weights for it.
    """
    from safetensors.torch import save_file

    tensors = {name: value.detach().cpu().contiguous() for name, value in model.named_parameters()}
    for name, shape in _dense_shapes(model).items():
        if name not in tensors:
            tensors[name] = torch.empty((0, *shape[1:]))
    save_file(tensors, path, metadata={"format": "pt"})


def _dense_shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Parameters of a model that has the remaining layers, each complete."""
    config: Any = model.config
    with torch.device("meta"):
        complete = type(model)(config)
    return {name: tuple(value.shape) for name, value in complete.named_parameters()}


def package_versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
