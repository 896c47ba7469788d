"""A target's settings: on what, in which shapes and how precisely latency is measured."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import prod
from pathlib import Path
from typing import Any

from compresskit.architecture import PRECISIONS
from compresskit.errors import ConfigurationError, one_of
from compresskit.field_types import wrong_kind

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
_FIRST_RUNS = 12  # in a first look
SHAPES = ("fixed", "dynamic")
# Fields that leave the latency itself as it is: names, and how long it is looked at.
_NOT_IN_KEY = frozenset(
    {"name", "description", "interval_precision", "warmup_runs", "min_runs", "max_runs", "max_seconds"}
    | {"address", "token_file", "certificate_file", "send_weights", "candidates"}
)
# Left out of JSON and key where they are None: what was written before there were such fields stays valid.
_LATER = frozenset({"choices", "candidates"})


@dataclass(frozen=True)
class Profile:
    """Settings of one target. Raises ConfigurationError for a value outside its permitted set.

    `threads` 0 means all physical cores; `cores` pins the process to these CPU numbers.
    `batch` and `length` count texts and tokens; with `lengths`, pairs (length, weight), latency is the
    weighted mean of the medians at these lengths and `length` is not used. `choices` are those of a question
    of multiple choice, of which `batch` then counts; None: as many as the data set has. `candidates` are the
    passages of one request to a reranker, each a pair with its query; they are the `batch`.
    `interval_precision` is the half-width of the median's 95 % interval, relative to the median, at
    which sampling stops; `min_runs`, `max_runs` and `max_seconds` bound it.
    `address` is the URL of an agent on another device, and `send_weights` whether it gets the real ones.
    """

    name: str
    description: str = ""
    provider: str = "cpu"
    provider_options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    threads: int = 1
    cores: tuple[int, ...] = ()
    batch: int = 1
    length: int = 128
    lengths: tuple[tuple[int, float], ...] = ()
    choices: int | None = None
    candidates: int | None = None
    precision: str = "fp32"
    shapes: str = "fixed"
    session_options: Mapping[str, str] = field(default_factory=dict, hash=False)
    interval_precision: float = 0.01
    warmup_runs: int = 5
    min_runs: int = 60
    max_runs: int = 10_000
    max_seconds: float = 10.0
    address: str | None = None
    token_file: str | None = None
    certificate_file: str | None = None
    send_weights: bool = False

    def __post_init__(self) -> None:
        if wrong := wrong_kind(type(self), vars(self)):
            raise ConfigurationError(f"profile {self.name!r}: {wrong}")
        choices: dict[str, Collection[str]] = {
            "provider": PROVIDERS,
            "precision": PRECISIONS,
            "shapes": SHAPES,
        }
        for option, allowed in choices.items():
            if getattr(self, option) not in allowed:
                raise ConfigurationError(
                    f"profile {self.name!r}: " + one_of(option, getattr(self, option), allowed)
                )
        for option, lowest in _LOWEST.items():
            value: float | None = getattr(self, option)
            if value is not None and value < lowest:
                raise ConfigurationError(
                    f"profile {self.name!r}: {option} is {value!r}; permitted: a number from {lowest}."
                )
        if self.candidates is not None:
            if self.batch not in (1, self.candidates):
                raise ConfigurationError(
                    f"profile {self.name!r}: candidates is {self.candidates} and batch {self.batch}; leave "
                    "batch out, for one request is a batch of its candidates."
                )
            object.__setattr__(self, "batch", self.candidates)
        if not 0 < self.interval_precision < 1:
            raise ConfigurationError(
                f"profile {self.name!r}: interval_precision is {self.interval_precision!r}; "
                "permitted: between 0 and 1, such as 0.01 for 1 %."
            )
        if self.max_runs < self.min_runs:
            raise ConfigurationError(
                f"profile {self.name!r}: max_runs {self.max_runs} is below min_runs {self.min_runs}; "
                "raise the one or lower the other."
            )
        for length, weight in self.lengths:
            if length < 1 or weight <= 0:
                raise ConfigurationError(
                    f"profile {self.name!r}: lengths has ({length!r}, {weight!r}); permitted: pairs of a "
                    "length from 1 and a weight above 0."
                )

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes of the axes of a graph's inputs, by name, in the order of the axes."""
        further = {} if self.choices is None else {"choices": self.choices}
        return {"batch": self.batch, **further, "length": self.length}

    @property
    def texts(self) -> int:
        """How many texts of `length` tokens an encoder reads in one run."""
        return prod(size for axis, size in self.sizes.items() if axis != "length")

    @property
    def scoring_provider(self) -> str:
        """Where this machine computes metrics: on the CPU for a device behind an address, CUDA for TensorRT.

        It may lack that device's provider; and TensorRT would build an engine for each batch's shape.
        """
        return "cpu" if self.address is not None or self.provider == "cpu" else "cuda"

    def key(self) -> str:
        """Hash of all settings that a latency depends on; equal keys share measurements."""
        kept = {name: value for name, value in self._fields().items() if name not in _NOT_IN_KEY}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]

    def within(self, seconds: float | None) -> Profile:
        """This profile for a first look, no longer than `seconds`; None leaves it as it is.

        A first look ends at twice the interval, which is still narrower than what differs from one session to
        the next; samples that only a percentile needs are not waited for.
        """
        if seconds is None:
            return self
        return self.with_(
            max_seconds=min(max(_LOWEST["max_seconds"], seconds), self.max_seconds),
            min_runs=min(self.min_runs, _FIRST_RUNS),
            interval_precision=min(2 * self.interval_precision, 0.5),
        )

    def with_(self, **overrides: Any) -> Profile:
        """This profile with other values; ConfigurationError for a key that no profile has."""
        _check_keys(self.name, overrides)
        if "batch" in overrides:
            overrides = {"candidates": None, **overrides}
        return replace(self, **{key: _tidy(key, value) for key, value in overrides.items()})

    def filled(self, sizes: Mapping[str, int | None]) -> Profile:
        """This profile with those of `sizes`, by field, that it leaves to the data."""
        return self.with_(**{name: size for name, size in sizes.items() if getattr(self, name) is None})

    def to_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(self._fields()))  # type: ignore[no-any-return]

    def _fields(self) -> dict[str, Any]:
        return {k: value for k, value in asdict(self).items() if value is not None or k not in _LATER}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Profile:
        _check_keys(str(value.get("name")), value)
        return cls(**{key: _tidy(key, item) for key, item in value.items()})


_LOWEST: dict[str, float] = {
    "threads": 0, "batch": 1, "length": 1, "choices": 1, "candidates": 1,
    "warmup_runs": 1, "min_runs": 1, "max_runs": 1, "max_seconds": 0.1,
}  # fmt: skip


def _check_keys(name: str, value: Mapping[str, Any]) -> None:
    known = {item.name for item in fields(Profile)}
    for key in value:
        if key not in known:
            raise ConfigurationError(f"profile {name!r}: " + one_of("key", key, known))


def _tidy(key: str, value: Any) -> Any:
    if key in ("provider_options", "session_options") and not isinstance(value, Mapping):
        raise ConfigurationError(f"{key} is {value!r}; permitted: a table of options.")
    try:
        if key == "cores":
            return tuple(int(core) for core in value)
        if key == "lengths":
            return tuple((int(length), float(weight)) for length, weight in value)
    except (TypeError, ValueError):
        form = "[length, weight] pairs" if key == "lengths" else "CPU numbers"
        raise ConfigurationError(f"{key} is {value!r}; permitted: a list of {form}.") from None
    if key == "session_options":
        return {str(option): str(setting) for option, setting in value.items()}
    return value


def list_profiles() -> list[str]:
    """Names of the built-in profiles."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def _folder() -> Path:
    """Where the built-in profiles are: in the package of a wheel, beside it in a clone."""
    package = Path(__file__).parents[1]
    inside = package / "profiles"
    return inside if inside.is_dir() else package.with_name("profiles")


def load_profile(name_or_path: str | Path) -> Profile:
    """The built-in profile of that name, or the one in a TOML file.

    Raises ConfigurationError for an unknown name, key, provider or value, naming those permitted.
    """
    text, name = _read(name_or_path)
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"profile {name_or_path} is not valid TOML: {error}.") from None
    return Profile.from_json({"name": name, **value})


def _read(name_or_path: str | Path) -> tuple[str, str]:
    if str(name_or_path) in list_profiles():
        return (_folder() / f"{name_or_path}.toml").read_text(encoding="utf-8"), str(name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        raise ConfigurationError(
            one_of("profile", str(name_or_path), list_profiles()) + " Or give the path of a TOML file."
        )
    try:
        return path.read_text(encoding="utf-8"), path.stem
    except UnicodeDecodeError:
        raise ConfigurationError(f"profile {path} is not a text file; give a TOML file.") from None
