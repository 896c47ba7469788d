"""Training in tests is float32 on every machine, so that its figures are the same."""

from __future__ import annotations

import pytest

from compresskit.training import recipe


@pytest.fixture(autouse=True)
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "has_fast_bf16", lambda: False)
