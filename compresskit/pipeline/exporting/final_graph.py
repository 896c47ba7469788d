"""The graph that an export ships: its precision chosen, its form checked again on the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from onnx import ModelProto

from compresskit.blocks import BlockPlan
from compresskit.bundle.runtime import RuntimeLimit, installed_version, parse_limit, parse_version
from compresskit.display import Display, Say
from compresskit.engine.precision import AUTO, DEFAULT_DROP, check_precision
from compresskit.engine.variants import Variant
from compresskit.errors import EngineError, TargetError
from compresskit.pipeline.evaluation.variant_choice import find_variant, known_variants
from compresskit.pipeline.exporting.corpus import Corpus
from compresskit.pipeline.exporting.device import Device
from compresskit.pipeline.exporting.graph_builder import PLAIN, GraphBuilder, Made
from compresskit.pipeline.exporting.precision_choice import PrecisionChooser
from compresskit.runs.directory import RunDirectory
from compresskit.target.base import SessionSettings
from compresskit.target.open import open_target
from compresskit.target.profile import Profile

_CHOSEN, _PLAIN, _BARE = "chosen form", "plain form", "chosen form, plain session"


@dataclass(frozen=True)
class PrecisionRequest:
    """What an export was asked for. `max_drop` in points; None: 0.5 for auto, no limit otherwise.

    `runtime` names the oldest ONNX Runtime that must run the engine, such as ">=1.20"; None: the device's.
    `portable` permits ONNX's own operators alone.
    """

    precision: str
    max_drop: float | None = None
    embeddings: str = "fp32"
    runtime: str | None = None
    portable: bool = False

    def __post_init__(self) -> None:
        check_precision(self.precision)
        if self.runtime is not None:
            parse_limit(self.runtime)


@dataclass(frozen=True, eq=False)
class FinalGraph:
    """`check` says how the chosen form compares with the plain one; empty where the device is away."""

    made: Made
    trials: list[dict[str, Any]] = field(default_factory=list)
    check: Mapping[str, Any] = field(default_factory=dict)


def final_graph(
    plain: ModelProto,
    request: PrecisionRequest,
    device: Device | None,
    *,
    run: RunDirectory,
    profile: Profile,
    corpus: Corpus,
    blocks: BlockPlan | None = None,
    display: Display,
) -> tuple[FinalGraph, GraphBuilder]:
    """Bring a point's plain graph into the precision asked for, in the form that is fastest for it.

    Without a device the run's form is taken as it is, or the plain one where that would not run in every
    ONNX Runtime that must run it; precision auto, and a drop that must be kept, need
    one (TargetError, EngineError).
    """
    limit = _limit(request, run, device)
    variant_for = _variant_finder(run, profile, plain, limit, device is not None, display)
    builder = GraphBuilder(
        plain,
        variant_for,
        corpus.calibration,
        blocks=blocks,
        embeddings=request.embeddings,
        provider=profile.provider,
        inputs=corpus.task.inputs,
    )
    trials: list[dict[str, Any]] = []
    if request.precision == AUTO or request.max_drop is not None:
        if device is None:
            raise TargetError(
                f"precision {request.precision} is chosen by measuring on profile {profile.name!r}, which "
                "cannot be reached; name a precision without --precision-drop."
            )
        drop = DEFAULT_DROP if request.max_drop is None else request.max_drop
        chooser = PrecisionChooser(builder, device, corpus, drop, display)
        chosen = chooser.automatic() if request.precision == AUTO else chooser.within_drop(request.precision)
        made, trials = chosen.made, chosen.trials
    else:
        made = builder.make(request.precision)
    check: dict[str, Any] = {}
    if device is not None:
        made, check = check_form(device, builder, made, display)
    if objection := limit.objection(made.graph):
        raise EngineError(
            f"graph variant {made.variant.name} in {made.precision} cannot be used: {objection}."
        )
    return FinalGraph(made, trials, check), builder


def check_form(device: Device, builder: GraphBuilder, made: Made, say: Say) -> tuple[Made, dict[str, Any]]:
    """Compare `made` with the plain form of the same weights, which is taken where it is shown to be faster.

    Its session settings are tested too: what the graph loses in a session without them is printed.
    A graph with layers kept in float stays as it is: in another form it would have other layers.
    """
    graphs = [(_CHOSEN, made.graph, made.variant.session)]
    plain: Made | None = None
    if made.variant.rewrites and not made.float_layers:
        plain = builder.make(made.precision, PLAIN)
        graphs.append((_PLAIN, plain.graph, PLAIN.session))
    if made.variant.session != SessionSettings():
        graphs.append((_BARE, made.graph, SessionSettings()))
    compared = device.compare(graphs, _CHOSEN, decide=True)
    known = {each.name: each for each in compared.measurements}
    ratios = {ratio.engine: ratio for ratio in compared.ratios}
    check: dict[str, Any] = {"variant": made.variant.name}
    if plain is not None:
        # `speedup` of the plain form over the chosen one.
        ratio = ratios[_PLAIN]
        check["speedup_over_plain"] = 1 / ratio.speedup
        check["speedup_over_plain_ci"] = [low, high] = [1 / ratio.ci[1], 1 / ratio.ci[0]]
        say(
            f"{made.variant.name} is {1 / ratio.speedup:.3f} ({low:.3f} to {high:.3f}) times as fast as the "
            "plain form"
        )
        if ratio.ci[0] > 1:
            say("the plain form is faster with these weights and is exported")
            made = plain
    if _BARE in ratios and made is not plain:
        check["plain_session_ratio"] = 1 / ratios[_BARE].speedup
    measured = known[_PLAIN if made is plain else _CHOSEN]
    check |= {"latency_ms": measured.median_ms, "latency_ci_ms": list(measured.ci_ms)}
    return made, check


def _limit(request: PrecisionRequest, run: RunDirectory, device: Device | None) -> RuntimeLimit:
    """Of graphs that are right in the device's ONNX Runtime, in the one asked for, and in this process's."""
    limit = RuntimeLimit(installed_version(), request.portable)
    if device is not None:
        limit = limit.and_for(device.runtime)
    elif measured := {str(record["conditions"]["onnxruntime"]) for record in run.latencies()}:
        limit = limit.and_for(min(map(parse_version, measured)))
    return limit if request.runtime is None else limit.and_for(parse_limit(request.runtime))


def _variant_finder(
    run: RunDirectory,
    profile: Profile,
    plain: ModelProto,
    limit: RuntimeLimit,
    reachable: bool,
    display: Display,
) -> Callable[[str], Variant]:
    """The run's variant for a precision; what the search did not need, or `limit` forbids, is found now."""
    known = known_variants(run.info)

    def objection(variant: Variant, precision: str) -> str | None:
        return limit.objection(variant.apply(deepcopy(plain)), static_int8=precision == "int8-static")

    def find(precision: str, measured: str) -> Variant:
        stays = PLAIN if objection(known["fp32"], precision) else known["fp32"]
        if not reachable:
            return stays
        with open_target(profile, say=display) as target:
            try:
                static = precision == "int8-static"
                return find_variant(
                    target, profile, plain, measured, limit, static_int8=static, display=display
                )
            except EngineError as error:
                display(f"{error} Graph variant {stays.name} is taken.")
                return stays

    def variant_for(precision: str) -> Variant:
        measured = precision
        if precision == "int8-static":
            # Its products are those of dynamic int8, which TensorRT does not run.
            measured = "int8" if profile.provider == "cpu" else "fp32"
        chosen = known.get(precision) or known.get(measured)
        reason = None if chosen is None else objection(chosen, precision)
        if reason is not None and chosen is not None:
            display(f"not the run's graph variant {chosen.name}: {reason}")
        if chosen is None or reason is not None:
            chosen = find(precision, measured)
        known[precision] = chosen
        return chosen

    return cache(variant_for)
