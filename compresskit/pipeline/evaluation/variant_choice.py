"""The form of the graph that a target runs fastest, for each precision, found once and kept in the run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from onnx import ModelProto

from compresskit.bundle.runtime import RuntimeLimit, installed_version, parse_version
from compresskit.display import SILENT, Display, counted
from compresskit.engine.quantize import to_precision
from compresskit.engine.variants import (
    ONE_THREAD,
    SESSIONS,
    VARIANTS,
    Variant,
    choose_session,
    choose_variant,
    variant_named,
)
from compresskit.errors import ConfigurationError, RunError
from compresskit.pipeline.evaluation.latency import time_of
from compresskit.pipeline.evaluation.slicers import Slicer
from compresskit.runs.directory import RunDirectory
from compresskit.runs.fields import RESTORE
from compresskit.target.base import LatencyTarget
from compresskit.target.local import resolve
from compresskit.target.profile import Profile

FP32 = "fp32"


def limit_of(target: LatencyTarget) -> RuntimeLimit:
    """Graphs that are right both in the target's ONNX Runtime and in the one that verifies them here."""
    there = parse_version(str(target.conditions()["onnxruntime"]))
    return RuntimeLimit(min(there, installed_version()))


def choice_of(precision: str) -> str:
    """The stage in which the form for a precision is chosen."""
    return f"choosing the {precision} graph form"


def forms_on(profile: Profile) -> tuple[Sequence[Variant], Sequence[str]]:
    """Forms of the graph, and settings of the session, that are compared on a device."""
    if profile.provider != "cpu":
        return VARIANTS, ()
    one = profile.address is None and resolve(profile).threads == 1
    return VARIANTS, ONE_THREAD if one else tuple(SESSIONS)


def find_variant(
    target: LatencyTarget,
    profile: Profile,
    plain: ModelProto,
    precision: str,
    limit: RuntimeLimit,
    *,
    static_int8: bool = False,
    display: Display = SILENT,
) -> Variant:
    """The fastest form of the plain graph `plain` in a precision, then the fastest session for it.

    Forms that `limit` has an objection to are left out; `static_int8`: once they are in QDQ form.
    EngineError when none runs on the target.
    """
    median_ms = time_of(target)

    def measure(graph: ModelProto, variant: Variant) -> float:
        return median_ms(to_precision(graph, precision), variant)

    objection = partial(limit.objection, static_int8=static_int8)
    variants, sessions = forms_on(profile)
    with display.stage(choice_of(precision), len(variants) + len(sessions), "forms") as counter:
        chosen = choose_variant(measure, plain, variants=counted(variants, counter), objection=objection)
        if not sessions:
            return chosen
        return choose_session(measure, plain, chosen, sessions=counted(sessions, counter))


def choose_variants(
    run: RunDirectory,
    target: LatencyTarget,
    profile: Profile,
    slicer: Slicer,
    precisions: Collection[str],
    display: Display,
) -> dict[str, Variant]:
    """The variant of each precision; what run.json lacks is found on the dense graph and kept there."""
    for precision in missing_precisions(run.info, precisions):
        plain = slicer.slice(slicer.full)
        found = find_variant(target, profile, plain, precision, limit_of(target), display=display).name
        if precision == FP32:
            run.update(variant=found)
        else:
            run.update(variants={**run.info.get("variants", {}), precision: found})
    return known_variants(run.info)


def known_variants(info: Mapping[str, Any]) -> dict[str, Variant]:
    """Precision -> the variant that the run with this run.json found for it. RunError for an unknown one."""
    names = {FP32: info["variant"]} if "variant" in info else {}
    names |= info.get("variants", {})
    try:
        return {precision: variant_named(name) for precision, name in names.items()}
    except ConfigurationError as error:
        raise RunError(f"run.json is damaged: {error} {RESTORE}") from None


def missing_precisions(info: Mapping[str, Any], precisions: Collection[str]) -> list[str]:
    """Those without a variant yet; fp32 is always needed, for the dense model."""
    known = known_variants(info)
    return [precision for precision in dict.fromkeys((FP32, *precisions)) if precision not in known]
