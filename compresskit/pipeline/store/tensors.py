"""Arrays of a run in a safetensors file that may be damaged."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from compresskit.errors import RunError
from compresskit.exhausted import is_out_of_memory


def read_arrays(path: Path, names: Collection[str], remedy: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays `names` of a file. Raises RunError, which ends with `remedy`, when it is damaged."""
    try:
        found = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        raise RunError(f"{path} is damaged: {error}. {remedy}") from None
    if missing := sorted(set(names) - set(found)):
        raise RunError(f"{path} is damaged: {', '.join(missing)} missing. {remedy}")
    return found
