from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from compresskit.engine.score import logits_of
from tests.engine.models import make_rows


def test_order_and_batching_change_nothing(exported: Callable[[str], Any], tmp_path: Path) -> None:
    plain = exported("bert").plain
    rows = make_rows((5, 20, 1, 9, 13, 2, 7))
    alone = np.concatenate([logits_of(plain, [row]) for row in rows])
    path = tmp_path / "model.onnx"
    path.write_bytes(plain.SerializeToString())
    for model in (plain, path, path.read_bytes()):
        np.testing.assert_allclose(logits_of(model, rows, batch_size=3), alone, rtol=0, atol=1e-5)
    assert alone.shape == (7, 3)
    assert np.ptp(alone, axis=0).min() > 1e-3


def test_no_rows_give_no_logits(exported: Callable[[str], Any]) -> None:
    assert logits_of(exported("bert").plain, []).shape == (0, 3)
