from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import AgentError, TargetError
from compresskit.target.base import Measurement, SessionSettings
from compresskit.target.local import LocalTarget, resolve
from compresskit.target.open import open_target
from compresskit.target.profile import Profile, load_profile
from compresskit.target.reference_level import Baselines, fingerprint
from tests.target.graphs import chain, endless, written

PROFILE = Profile("quick", length=16, interval_precision=0.5, max_seconds=0.3, min_runs=10)


def test_measures_and_tells_the_conditions(tmp_path: Path) -> None:
    with LocalTarget(PROFILE) as target:
        found = target.measure(chain(), session=SessionSettings(optimization_level="basic"))
        from_file = target.measure(written(tmp_path, chain()))
    assert 0 < found.ci_ms[0] <= found.median_ms <= found.ci_ms[1]
    assert found.corrected_ci_ms[0] <= found.corrected_median_ms <= found.corrected_ci_ms[1]
    assert found.median_ms == found.p50_ms
    assert found.throughput_per_s == pytest.approx(1e3 / found.median_ms)
    assert found.first_run_ms and found.first_run_ms > found.median_ms
    assert len(found.samples_ms) >= 10 and found.reference_samples_ms
    assert found.peak_memory_bytes is None
    conditions = found.conditions
    assert conditions["profile_key"] == PROFILE.key()
    assert conditions["session"]["optimization_level"] == "basic"
    assert conditions["onnxruntime"] and conditions["host"]["cpu"]
    assert from_file.conditions["reference"] == conditions["reference"]
    again = Measurement.from_json(json.loads(json.dumps(found.to_json())))
    assert again.to_json() == found.to_json()
    assert again.ci_ms == pytest.approx(found.ci_ms)


def test_target_outlives_its_candidates() -> None:
    with LocalTarget(PROFILE) as target:
        target.measure(chain())
        child = target._child
        assert child is not None
        with pytest.raises(TargetError, match="load failed"):
            target.measure(chain(vocabulary=2).replace(b"MatMul", b"NotMul"))
        child._timeout_seconds = 1.0  # for this graph alone: honest ones may need as long on a busy machine
        with pytest.raises(TargetError, match="longer than the limit"):
            target.measure(endless())
        level = target.measure(chain()).reference_level_ms
        child = target._child
        assert child is not None
        child._process.kill()
        child._process.wait()
        found = target.measure(chain())
        assert found.median_ms > 0
        # The level belongs to the target, not to the worker that died.
        assert found.reference_level_ms == level


def test_sampling_ends_with_the_seconds_given() -> None:
    patient = Profile("patient", interval_precision=1e-6, min_runs=10, max_runs=100_000, max_seconds=2.0)
    with LocalTarget(patient) as target:
        short, whole = (len(target.measure(chain(), seconds=seconds).samples_ms) for seconds in (0.1, None))
        assert 3 * short < whole
        assert target.measure(chain(), seconds=0.0).median_ms > 0


def test_own_reference_replaces_the_built_in_one() -> None:
    with LocalTarget(PROFILE) as target:
        built_in = target.measure(chain())
        own = target.measure(chain(), reference=chain(width=64))
        again = target.measure(chain(), reference=chain(width=64))
    assert built_in.conditions["reference"] != own.conditions["reference"]
    assert own.conditions["reference"].startswith(fingerprint(chain(width=64)))
    assert own.reference_level_ms == again.reference_level_ms != built_in.reference_level_ms


def test_level_is_shared_through_a_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "levels.json"
    with LocalTarget(PROFILE, baselines=path) as target:
        first = target.measure(chain()).reference_level_ms
    assert first is not None
    path.write_text(json.dumps({key: level / 4 for key, level in json.loads(path.read_text()).items()}))
    with LocalTarget(PROFILE, baselines=path) as target:  # nothing here is that fast
        assert target.measure(chain()).reference_level_ms == pytest.approx(first / 4)
    with LocalTarget(PROFILE.with_(length=8), baselines=path) as target:
        target.measure(chain())
    assert len(json.loads(path.read_text())) == 2 * 2  # of both built-in references
    assert [item.name for item in path.parent.iterdir()] == ["levels.json"]


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": "x"}'])
def test_damaged_levels_say_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "levels.json"
    path.write_text(text)
    with pytest.raises(TargetError, match="remove the file"):
        Baselines(path, {})


def test_levels_of_other_conditions_are_not_seen(tmp_path: Path) -> None:
    path = tmp_path / "levels.json"
    Baselines(path, {"threads": 1}).put("r", 2.0)
    Baselines(path, {"threads": 2}).put("r", 3.0)
    assert Baselines(path, {"threads": 1}).get("r") == 2.0
    assert Baselines(path, {"threads": 4}).get("r") is None


@pytest.mark.parametrize("name", ["cuda-fp16", "tensorrt-fp16"])
def test_missing_provider_lists_those_that_are(name: str) -> None:
    import onnxruntime

    profile = load_profile(name)
    if len(onnxruntime.get_available_providers()) > 2:
        pytest.skip("a GPU build of onnxruntime is installed")
    with pytest.raises(TargetError, match=r"available: cpu\."):
        open_target(profile)


def test_address_opens_the_agent() -> None:
    with pytest.raises(AgentError):
        open_target(PROFILE.with_(address="http://device.invalid:1", token_file="/nonexistent"))


def test_all_threads_are_counted() -> None:
    assert resolve(PROFILE.with_(threads=0)).threads >= 1
    assert resolve(PROFILE.with_(threads=0, cores=(0,))).threads == 1
    assert resolve(PROFILE) is PROFILE


@pytest.mark.parametrize(
    "broken",
    [{}, {"samples_ms": 3}, {"samples_ms": [], "reference_samples_ms": [], "warnings": [], "ci_ms": []}],
)
def test_what_is_no_measurement_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(TargetError, match="not a measurement"):
        Measurement.from_json(broken)
