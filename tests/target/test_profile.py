from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import ConfigurationError
from compresskit.runs.records import profile_title
from compresskit.target.detect import detect_profile, profile_toml
from compresskit.target.profile import Profile, list_profiles, load_profile


def test_built_in_profiles_load() -> None:
    names = list_profiles()
    assert {
        "cpu-1-thread",
        "cpu-all-threads",
        "cuda-fp16",
        "tensorrt-fp16",
        "jetson-orin",
        "raspberry-pi-5",
    } <= {*names}
    profiles = {name: load_profile(name) for name in names}
    assert profiles["cpu-1-thread"].threads == 1
    assert (profiles["cuda-fp16"].provider, profiles["cuda-fp16"].precision) == ("cuda", "fp16")
    assert len({profile.key() for profile in profiles.values()}) == len(names)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("thread = 1", "threads"),
        ("provider = 'rocket'", "tensorrt"),
        ("precision = 'fp7'", "int8"),
        ("batch = 0", "from 1"),
        ("choices = 0", "from 1"),
        ("candidates = 0", "from 1"),
        ("candidates = 30\nbatch = 8", "candidates is 30 and batch 8; leave batch out"),
        ("batch = true", "batch is True; permitted: a whole number"),
        ("length = 1.5", "length is 1.5; permitted: a whole number"),
        ("interval_precision = 'high'", "interval_precision is .high.; permitted: a number"),
        ("send_weights = 'yes'", "true or false"),
        ("address = 3", "a text"),
        ("interval_precision = 1.0", "between 0 and 1"),
        ("min_runs = 50\nmax_runs = 20", "min_runs 50"),
        ("lengths = [3]", "pairs"),
        ("lengths = [[16, 0.0]]", "above 0"),
        ("provider_options = 3", "table"),
        ("batch =", "not valid TOML"),
    ],
)
def test_wrong_files_say_what_is_permitted(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "device.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        load_profile(path)


def test_unknown_name_lists_profiles() -> None:
    with pytest.raises(ConfigurationError, match="'cpu-9'.*cpu-1-thread"):
        load_profile("cpu-9")


def test_file_is_named_after_itself(tmp_path: Path) -> None:
    path = tmp_path / "kitchen.toml"
    path.write_text("threads = 2\nlengths = [[16, 1], [64, 0.5]]\n[session_options]\nx = 1\n")
    profile = load_profile(path)
    assert (profile.name, profile.threads) == ("kitchen", 2)
    assert profile.lengths == ((16, 1.0), (64, 0.5))
    assert profile.session_options == {"x": "1"}
    assert Profile.from_json(profile.to_json()) == profile


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"name": "b", "description": "d", "interval_precision": 0.02, "max_seconds": 1.0}, True),
        ({"address": "https://device:1", "token_file": "t"}, True),
        ({"threads": 2}, False),
        ({"length": 64}, False),
        ({"choices": 4}, False),
        ({"candidates": 1}, True),
        ({"candidates": 30}, False),
        ({"shapes": "dynamic"}, False),
        ({"provider_options": {"a": 1}}, False),
    ],
)
def test_key_holds_what_latency_depends_on(change: dict[str, Any], same: bool) -> None:
    profile = Profile("a")
    assert (profile.with_(**change).key() == profile.key()) is same


def test_choices_are_the_datas_where_a_profile_says_none() -> None:
    profile = Profile("a", batch=2, length=7)
    assert profile.sizes == {"batch": 2, "length": 7} and profile.texts == 2
    assert "choices" not in profile.to_json()  # agents and runs of older versions know of none
    filled = profile.filled({"choices": 4})
    assert filled.sizes == {"batch": 2, "choices": 4, "length": 7} and filled.texts == 8
    assert filled.filled({"choices": 5}) == filled == Profile.from_json(filled.to_json())
    assert profile_title(filled.to_json()) == "a, 4 choices"


def test_a_request_is_a_batch_of_its_candidates(tmp_path: Path) -> None:
    path = tmp_path / "list.toml"
    path.write_text("candidates = 30\nlength = 64\n")
    profile = load_profile(path)
    assert profile.sizes == {"batch": 30, "length": 64}
    assert profile.key() == Profile("a", batch=30, length=64).key()
    assert Profile.from_json(profile.to_json()) == profile
    assert profile.with_(length=8).batch == 30
    assert (profile.with_(batch=4).batch, profile.with_(batch=4).candidates) == (4, None)
    assert profile_title(profile.to_json()) == "list, a list of 30"
    assert profile_title(profile.with_(batch=4).to_json()) == profile_title("list") == "list"


@pytest.mark.parametrize(
    ("provider", "address", "scores"),
    [
        ("cpu", None, "cpu"),
        ("cuda", None, "cuda"),
        ("tensorrt", None, "cuda"),
        ("tensorrt", "https://device:1", "cpu"),
    ],
)
def test_metrics_are_computed_where_any_shape_runs(provider: str, address: str | None, scores: str) -> None:
    assert Profile("a", provider=provider, address=address).scoring_provider == scores


def test_with_refuses_unknown() -> None:
    with pytest.raises(ConfigurationError, match="'thread'.*threads"):
        Profile("a").with_(thread=2)


def test_toml_reads_back(tmp_path: Path) -> None:
    profile = Profile(
        "a",
        'say "hi" \\ ü',
        threads=3,
        cores=(0, 1),
        lengths=((8, 1.0),),
        provider_options={"a b": 1, "c": "x"},
    )
    path = tmp_path / "a.toml"
    path.write_text(profile_toml(profile), encoding="utf-8")
    assert load_profile(path) == profile


def test_detected_profile_fits_this_machine(tmp_path: Path) -> None:
    profile = detect_profile()
    path = tmp_path / f"{profile.name}.toml"
    path.write_text(profile_toml(profile), encoding="utf-8")
    assert load_profile(path) == profile
    assert profile.threads >= 1
