"""Where exported engines are scored: once, on the device that will serve them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto

from compresskit.bundle.batching import run_rows
from compresskit.bundle.runtime import installed_version
from compresskit.engine import verify as verification
from compresskit.pipeline.export import export
from compresskit.pipeline.exporting import device as devices
from compresskit.pipeline.exporting.device import Device
from compresskit.runs import RunDirectory
from compresskit.target.profile import Profile


class FarBench:
    """In place of an agent: it answers with the second label throughout."""

    def __init__(self, profile: Profile, **_: Any) -> None:
        self.profile = profile

    def logits(self, data: bytes, rows: list[Any], **_: Any) -> Any:
        return np.tile([0.0, 1.0], (len(rows), 1))

    def close(self) -> None:
        pass


def test_the_test_set_is_computed_once_where_the_engine_serves_here(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[int] = []

    def counting(session: Any, rows: list[Any], **options: Any) -> Any:
        computed.append(len(rows))
        return run_rows(session, rows, **options)

    monkeypatch.setattr(verification, "run_rows", counting)
    monkeypatch.setattr(devices, "logits_of", lambda *_, **__: pytest.fail("computed once more"))
    manifest = export(run, tmp_path / "engine", pareto_idx=0)
    assert [rows for rows in computed if rows > 1] == [max(computed)]
    assert 0 < (manifest.test_metric or 0) <= 1


def test_a_device_elsewhere_computes_the_logits_itself(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Profile.from_json(RunDirectory.open(run).settings["profile"])
    with Device(here) as device:
        assert device.is_this_cpu
    monkeypatch.setattr(devices, "RemoteBench", FarBench)
    with Device(here.with_(address="https://far:1")) as device:
        assert not device.is_this_cpu
        found = device.logits(ModelProto(), [{"input_ids": [1]}] * 3)
    assert found.tolist() == [[0, 1]] * 3


def test_the_agent_says_which_runtime_its_device_has(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Profile.from_json(RunDirectory.open(run).settings["profile"])
    with Device(here) as device:
        assert device.runtime == installed_version()
    monkeypatch.setattr(FarBench, "conditions", lambda _: {"onnxruntime": "1.20.1"}, raising=False)
    monkeypatch.setattr(devices, "RemoteBench", FarBench)
    with Device(here.with_(address="https://far:1")) as device:
        assert device.runtime == (1, 20, 1)
