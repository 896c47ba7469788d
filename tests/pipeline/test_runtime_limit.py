"""Forms of a graph that the ONNX Runtime of a device answers wrongly are neither searched nor exported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from onnx import ModelProto

from compresskit.bundle.runtime import RuntimeLimit, lowest_runtime
from compresskit.display import SILENT, Lines
from compresskit.engine.export import export_onnx
from compresskit.errors import ConfigurationError
from compresskit.pipeline.evaluation import variant_choice as variants
from compresskit.pipeline.evaluation.variant_choice import find_variant, limit_of
from compresskit.pipeline.exporting import final_graph
from compresskit.pipeline.exporting.final_graph import PrecisionRequest
from compresskit.target.profile import Profile
from tests.engine.models import make_model

PROFILE = Profile("here")


class Target:
    """A device with an old ONNX Runtime that finds every form faster than the one before."""

    def __init__(self, version: str) -> None:
        self.version = version

    def conditions(self) -> dict[str, Any]:
        return {"onnxruntime": self.version}


class Run:
    """A run that found a contrib form on a device with this ONNX Runtime."""

    def __init__(self, variant: str, version: str) -> None:
        self.info = {"variant": variant}
        self.version = version

    def latencies(self) -> list[dict[str, Any]]:
        return [{"conditions": {"onnxruntime": self.version}}]


@pytest.fixture(scope="module")
def quick() -> None:
    """All forms are compared here."""


@pytest.fixture(scope="module")
def plain() -> ModelProto:
    return export_onnx(make_model("bert"))


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the forms that were measured."""
    seen: list[str] = []

    def time_of(_: Any) -> Callable[..., float]:
        def median_ms(graph: ModelProto, variant: Any) -> float:
            seen.append(variant.name)
            return 1 / len(seen)

        return median_ms

    monkeypatch.setattr(variants, "time_of", time_of)
    return seen


@pytest.mark.parametrize(
    ("version", "static", "left_out"),
    [
        (
            "1.18.1",
            False,
            ("multi-head", "packed-attention", "fused-norms", "packed-fused-norms", "onnx-attention"),
        ),
        ("1.20.1", False, ("multi-head", "packed-attention", "packed-fused-norms", "onnx-attention")),
        ("1.22.1", False, ("onnx-attention",)),
        ("1.23.2", True, ("onnx-attention",)),
        ("1.23.2", False, ()),
        ("1.24.1", True, ()),
    ],
)
def test_only_forms_that_are_right_there_are_measured(
    plain: ModelProto, tried: list[str], version: str, static: bool, left_out: tuple[str, ...]
) -> None:
    target: Any = Target(version)
    find_variant(target, PROFILE, plain, "fp32", limit_of(target), static_int8=static)
    measured = {name for name in tried if "+" not in name}
    assert {"plain", "first-token-packed"} <= measured
    for form in ("multi-head", "packed-attention", "fused-norms", "packed-fused-norms", "onnx-attention"):
        assert (f"first-token-{form}" in measured) == (form not in left_out)


def test_a_device_newer_than_this_process_is_limited_by_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.__version__", "1.22.0")
    target: Any = Target("1.31.1")
    assert limit_of(target) == RuntimeLimit((1, 22, 0))


@pytest.mark.parametrize(
    ("request_", "variant"),
    [
        (PrecisionRequest("fp32"), "plain"),  # the device had 1.20 when it was measured
        (PrecisionRequest("fp32", runtime=">=1.30"), "plain"),
    ],
)
def test_a_device_that_is_away_is_the_one_that_the_run_measured(
    plain: ModelProto, request_: PrecisionRequest, variant: str
) -> None:
    said: list[str] = []
    old: Any = Run("first-token-packed-attention", "1.20.1")
    limit = final_graph._limit(request_, old, None)
    assert limit.oldest == (1, 20, 1)
    variant_for = final_graph._variant_finder(old, PROFILE, plain, limit, False, Lines(said.append))
    assert variant_for("fp32").name == variant
    assert said[0].startswith("not the run's graph variant first-token-packed-attention: it needs")


def test_static_int8_takes_another_form_than_int8_where_it_must(plain: ModelProto) -> None:
    run: Any = Run("first-token-onnx-attention", "1.23.2")
    limit = final_graph._limit(PrecisionRequest("fp32"), run, None)
    variant_for = final_graph._variant_finder(run, PROFILE, plain, limit, False, SILENT)
    assert variant_for("int8").name == "first-token-onnx-attention"
    assert variant_for("int8-static").name == "plain"


def test_a_limit_is_checked_when_it_is_asked_for() -> None:
    with pytest.raises(ConfigurationError, match="--runtime is 'new'"):
        PrecisionRequest("fp32", runtime="new")
    with pytest.raises(ConfigurationError, match="--precision 'fp8'"):
        PrecisionRequest("fp8")


def test_the_plain_form_is_permitted_everywhere(plain: ModelProto) -> None:
    assert RuntimeLimit(lowest_runtime(plain), portable=True).objection(plain) is None
