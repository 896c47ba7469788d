"""Data sets that are fine-tuned, searched and judged."""

from __future__ import annotations

import pytest

from benchmarks.tasks.labelled import SETS, profile_of
from compresskit.target.profile import load_profile
from compresskit.tasks.registry import kind_named


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_a_profile_that_fits_and_metrics_of_its_task(name: str) -> None:
    found = SETS[name]
    assert set(found.metrics) <= set(kind_named(found.task).metrics)
    assert found.metrics[0] == kind_named(found.task).metrics[0]  # by which points are chosen
    profile = load_profile(profile_of(found))
    assert profile.threads == 1
    assert found.max_length is None or profile.length <= found.max_length
