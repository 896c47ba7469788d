"""How a graph's ONNX Runtime session is set up: decided from the profile, made in the worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from compresskit.errors import TargetError
from compresskit.target.base import Model, SessionSettings
from compresskit.target.graph import GraphInput, read_inputs
from compresskit.target.inputs import Feed, open_dimensions, plan_feeds
from compresskit.target.profile import PROVIDERS, Profile


@dataclass(frozen=True)
class SessionSpec:
    """All that the worker needs to make a session and feed it; plain enough for JSON."""

    providers: tuple[tuple[str, Mapping[str, str]], ...]
    feeds: tuple[Feed, ...]
    threads: int
    free_dimensions: Mapping[str, int] = field(default_factory=dict)
    settings: SessionSettings = field(default_factory=SessionSettings)
    entries: Mapping[str, str] = field(default_factory=dict)
    device: str = "cpu"  # where inputs and outputs are bound; "cpu" binds none

    def with_entry(self, name: str, value: str) -> SessionSpec:
        """With this session configuration entry, unless it is set already."""
        return replace(self, entries={name: value, **self.entries})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SessionSpec:
        return cls(
            tuple((name, options) for name, options in value["providers"]),
            tuple(Feed.from_json(feed) for feed in value["feeds"]),
            value["threads"],
            value["free_dimensions"],
            SessionSettings.from_json(value["settings"]),
            value["entries"],
            value["device"],
        )


def session_spec(
    model: Model, profile: Profile, settings: SessionSettings | None = None, *, cache: Path | None = None
) -> SessionSpec:
    """The session of `model` under `profile`; `cache` holds TensorRT's engines and timings.

    `profile.threads` must have been resolved: ONNX Runtime's own number (0) leaves the affinity mask.
    Raises TargetError for what is not ONNX or cannot take the profile's sizes.
    """
    inputs = read_inputs(model)
    feeds = tuple(plan_feeds(inputs, profile.sizes))
    assert profile.threads, "threads = 0 was not resolved"
    fixed = profile.shapes == "fixed"
    return SessionSpec(
        tuple(provider_list(profile, feeds, inputs, cache)),
        feeds,
        profile.threads,
        open_dimensions(inputs, profile.sizes) if fixed else {},
        settings or SessionSettings(),
        # What the graph needs stands above what the profile sets for all graphs.
        {**profile.session_options, **(settings.options if settings else {})},
        "cpu" if profile.provider == "cpu" else "cuda",
    )


def provider_list(
    profile: Profile, feeds: Sequence[Feed], inputs: Sequence[GraphInput], cache: Path | None
) -> list[tuple[str, dict[str, str]]]:
    """ONNX Runtime's provider list: the profile's own first, then those that take what it leaves."""
    options = {name: _spelled(value) for name, value in profile.provider_options.items()}
    if profile.provider == "cpu":
        return [(PROVIDERS["cpu"], options)]
    cpu: tuple[str, dict[str, str]] = (PROVIDERS["cpu"], {})
    if profile.provider == "cuda":
        # Without CUDA graphs: a replayed graph hides the launch cost that a served model pays.
        return [(PROVIDERS["cuda"], {"enable_cuda_graph": "0", **options}), cpu]
    device = {"device_id": options["device_id"]} if "device_id" in options else {}
    return [
        (PROVIDERS["tensorrt"], {**_tensorrt(profile, feeds, inputs, cache), **options}),
        (PROVIDERS["cuda"], device),
        cpu,
    ]


def _tensorrt(
    profile: Profile, feeds: Sequence[Feed], inputs: Sequence[GraphInput], cache: Path | None
) -> dict[str, str]:
    options = {
        "trt_fp16_enable": _spelled(profile.precision == "fp16"),
        "trt_int8_enable": _spelled(profile.precision == "int8"),
        "trt_cuda_graph_enable": "0",
    }
    if profile.shapes == "dynamic" or any(isinstance(size, str) for item in inputs for size in item.shape):
        best = ",".join(f"{feed.name}:{'x'.join(map(str, feed.shape))}" for feed in feeds)
        least = best if profile.shapes == "fixed" else _smallest(feeds, inputs)
        options |= {
            "trt_profile_min_shapes": least,
            "trt_profile_opt_shapes": best,
            "trt_profile_max_shapes": best,
        }
    if cache is not None:
        options |= {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(cache / "engines"),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(cache / "timings"),
        }
    return options


def _smallest(feeds: Sequence[Feed], inputs: Sequence[GraphInput]) -> str:
    parts = []
    for feed, item in zip(feeds, inputs, strict=True):
        sizes = [1 if isinstance(size, str) else size for size in item.shape]
        parts.append(f"{feed.name}:{'x'.join(map(str, sizes))}")
    return ",".join(parts)


def _spelled(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def make_session(model: Model, spec: SessionSpec, *, profiling_prefix: str | None = None) -> Any:
    """An onnxruntime.InferenceSession for `spec`.

    Raises TargetError when the session ends up without the provider that was asked for; whatever ONNX
    Runtime raises for a graph that it cannot load passes through.
    """
    import onnxruntime as ort

    options = spec.settings.session_options(spec.threads, spec.entries)
    for name, size in spec.free_dimensions.items():
        options.add_free_dimension_override_by_name(name, size)
    if profiling_prefix is not None:
        options.enable_profiling = True
        options.profile_file_prefix = profiling_prefix
    session = ort.InferenceSession(
        model if isinstance(model, bytes) else str(model),
        options,
        providers=[(name, dict(each)) for name, each in spec.providers],
    )
    wanted = spec.providers[0][0]
    if wanted not in session.get_providers():
        raise TargetError(
            f"ONNX Runtime fell back from {wanted} to {', '.join(session.get_providers())}: "
            "its libraries did not load. Run `compresskit doctor`."
        )
    return session
