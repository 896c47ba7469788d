from __future__ import annotations

import json
from pathlib import Path

import pytest

from compresskit.errors import ConfigurationError, TargetError
from compresskit.target.base import SessionSettings
from compresskit.target.inputs import make_inputs
from compresskit.target.profile import Profile, load_profile
from compresskit.target.session import SessionSpec, make_session, session_spec
from compresskit.target.worker import count_nodes
from tests.target.graphs import chain


def test_fixed_shapes_override_open_dimensions() -> None:
    profile = Profile("p", length=9)
    spec = session_spec(chain(), profile)
    assert make_session(chain(), spec).get_inputs()[0].shape == [1, 9]
    loose = session_spec(chain(), profile.with_(shapes="dynamic"))
    session = make_session(chain(), loose)
    assert session.get_inputs()[0].shape == ["b", "s"]
    assert session.run(None, make_inputs(loose.feeds))[0].shape == (1, 9, 16)


def test_settings_reach_the_session() -> None:
    settings = SessionSettings({"session.disable_prepacking": "1"}, "basic")
    spec = session_spec(chain(), Profile("p", threads=2, session_options={"a": "b"}), settings)
    options = make_session(chain(), spec).get_session_options()
    assert options.intra_op_num_threads == 2
    assert options.get_session_config_entry("session.disable_prepacking") == "1"
    assert options.get_session_config_entry("a") == "b"
    assert "BASIC" in str(options.graph_optimization_level)


def test_spec_survives_json() -> None:
    spec = session_spec(chain(), load_profile("tensorrt-fp16"), SessionSettings({"k": "v"}))
    assert SessionSpec.from_json(json.loads(json.dumps(spec.to_json()))).to_json() == spec.to_json()


def test_engine_settings_stand_above_the_profile() -> None:
    spec = session_spec(
        chain(), Profile("p", session_options={"k": "profile"}), SessionSettings(options={"k": "engine"})
    )
    assert spec.entries["k"] == "engine"
    assert spec.with_entry("k", "third").entries["k"] == "engine"
    assert spec.with_entry("l", "third").entries["l"] == "third"


def test_cuda_binds_and_leaves_graphs_off() -> None:
    spec = session_spec(chain(), load_profile("cuda-fp16"))
    names = [name for name, _ in spec.providers]
    assert names == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert spec.providers[0][1]["enable_cuda_graph"] == "0"
    assert spec.device == "cuda"


def test_tensorrt_has_profiles_and_caches(tmp_path: Path) -> None:
    profile = load_profile("tensorrt-fp16")
    (_, options), (cuda, _), _ = session_spec(chain(), profile, cache=tmp_path).providers
    assert options["trt_fp16_enable"] == "1"
    assert options["trt_cuda_graph_enable"] == "0"
    assert options["trt_profile_min_shapes"] == options["trt_profile_max_shapes"] == "input_ids:8x128"
    assert options["trt_engine_cache_path"].startswith(str(tmp_path))
    assert options["trt_timing_cache_enable"] == "1"
    assert cuda == "CUDAExecutionProvider"
    loose = session_spec(chain(), profile.with_(shapes="dynamic"), cache=tmp_path).providers[0][1]
    assert loose["trt_profile_min_shapes"] == "input_ids:1x1"
    assert loose["trt_profile_opt_shapes"] == "input_ids:8x128"
    sized = session_spec(chain(shape=(8, 128)), profile).providers[0][1]
    assert not any(key.startswith("trt_profile") for key in sized)


def test_silent_fallback_is_an_error() -> None:
    spec = session_spec(chain(), Profile("p"))
    other = SessionSpec((("CUDAExecutionProvider", {}), *spec.providers), spec.feeds, 1)
    with pytest.warns(UserWarning), pytest.raises(TargetError, match=r"fell back from CUDA.*doctor"):
        make_session(chain(), other)


def test_nodes_are_counted_by_provider(tmp_path: Path) -> None:
    spec = session_spec(chain(depth=3), Profile("p"))
    session = make_session(chain(depth=3), spec, profiling_prefix=str(tmp_path / "nodes"))
    session.run(None, make_inputs(spec.feeds))
    assert count_nodes(Path(session.end_profiling())) == {"CPUExecutionProvider": 4}


def test_unknown_level_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="extended"):
        SessionSettings(optimization_level="most")
    with pytest.raises(ConfigurationError, match="'disable' is not known; permitted: optimization_level, op"):
        SessionSettings.from_json({"disable": []})


def test_older_engines_say_that_no_optimizer_is_disabled() -> None:
    older = {"disabled_optimizers": [], "options": {"a": "b"}, "optimization_level": "all"}
    assert SessionSettings.from_json(older) == SessionSettings({"a": "b"})
