"""What is kept of the cells beside their tables: figures in NAME.json, predictions in NAME.npz."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.front.cells import Array, Results, cell_name, key_of

CELLS = "cells"
MACHINES = ("settings", "dense_engine")  # what a cell holds that is of no use elsewhere
SHARED = ("labels", "dense", "constant")  # equal in all cells of a task and seed


def keep(results: Results, path: Path) -> dict[str, Any]:
    """Write the predictions to `path`.npz; the cells by name, for `path`.json."""
    arrays: dict[str, Array] = {}
    for key, found in results.predictions.items():
        name = cell_name(key)
        place = name.partition("/")[0]
        for shared in SHARED:
            kept = arrays.setdefault(f"{place}/{shared}", _small(found[shared]))
            if not np.array_equal(kept, found[shared]):
                raise ValueError(f"{name}: its {shared} differ from those of other methods.")
        engines = [_small(found[point["engine"]]) for point in results.cells[key]["points"]]
        arrays[name] = np.stack(engines) if engines else np.empty((0, 0))  # (engines, rows)
    np.savez_compressed(path.with_suffix(".npz"), **arrays)  # type: ignore[arg-type]
    return {
        cell_name(key): {name: cell[name] for name in cell if name not in MACHINES}
        for key, cell in results.cells.items()
    }


def read_kept(path: Path) -> Results:
    """What `keep` and the report left at `path`; no cells where there is none."""
    if not path.with_suffix(".npz").exists():
        return Results({}, {}, [])
    cells = json.loads(path.with_suffix(".json").read_text())[CELLS]
    arrays = dict(np.load(path.with_suffix(".npz")))
    predictions = {}
    for name, cell in cells.items():
        place = name.partition("/")[0]
        engines = [point["engine"] for point in cell["points"]]
        predictions[key_of(cell)] = {
            **dict(zip(engines, arrays[name], strict=True)),
            **{shared: arrays[f"{place}/{shared}"] for shared in SHARED},
        }
    return Results({key_of(cell): cell for cell in cells.values()}, predictions, list(cells))


def _small(array: Array) -> Array:
    """Class ids as int16."""
    return array.astype(np.int16) if array.dtype.kind == "i" else array
