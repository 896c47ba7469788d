"""Make a transformer small and fast enough for the device it must run on."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compresskit.bundle.loader import load_engine as load_engine
    from compresskit.pipeline.bench import bench as bench
    from compresskit.pipeline.export import export as export
    from compresskit.pipeline.search import search as search
    from compresskit.pruning.reload import load_pruned as load_pruned

__version__ = "0.1.0"

# Imported on first use: a device that only loads engines has none of the training libraries.
_HOMES = {
    "load_engine": "compresskit.bundle.loader",
    "load_pruned": "compresskit.pruning.reload",
    "search": "compresskit.pipeline.search",
    "export": "compresskit.pipeline.export",
    "bench": "compresskit.pipeline.bench",
}
__all__ = ["__version__", "bench", "export", "load_engine", "load_pruned", "search"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
