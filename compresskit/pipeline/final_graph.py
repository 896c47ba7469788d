"""The graph that an export ships: its precision chosen, its form checked again on the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from onnx import ModelProto

from compresskit.blocks import BlockPlan
from compresskit.engine.precision import AUTO, DEFAULT_DROP
from compresskit.engine.variants import Variant
from compresskit.errors import EngineError, TargetError
from compresskit.pipeline.corpus import Corpus
from compresskit.pipeline.device import Device
from compresskit.pipeline.forge import PLAIN, Forge, Made
from compresskit.pipeline.precision import PrecisionChooser
from compresskit.pipeline.variants import find_variant, known_variants
from compresskit.runs.directory import RunDirectory
from compresskit.target.base import SessionSettings
from compresskit.target.open import open_target
from compresskit.target.profile import Profile

_CHOSEN, _PLAIN, _BARE = "chosen form", "plain form", "chosen form, plain session"


@dataclass(frozen=True)
class PrecisionRequest:
    """What an export was asked for. `max_drop` in points; None: 0.5 for auto, no limit otherwise."""

    precision: str
    max_drop: float | None = None
    embeddings: str = "fp32"


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
    pad_id: int,
    blocks: BlockPlan | None = None,
    say: Callable[[str], None],
) -> tuple[FinalGraph, Forge]:
    """Bring a point's plain graph into the precision asked for, in the form that is fastest for it.

    Without a device the run's form is taken as it is; precision auto, and a drop that must be kept, need
    one (TargetError, EngineError).
    """
    variant_for = _variant_finder(run, profile, plain, device is not None, say)
    forge = Forge(
        plain,
        variant_for,
        corpus.calibration,
        blocks=blocks,
        embeddings=request.embeddings,
        provider=profile.provider,
        pad_id=pad_id,
    )
    trials: list[dict[str, Any]] = []
    if request.precision == AUTO or request.max_drop is not None:
        if device is None:
            raise TargetError(
                f"precision {request.precision} is chosen by measuring on profile {profile.name!r}, which "
                "cannot be reached; name a precision without --precision-drop."
            )
        drop = DEFAULT_DROP if request.max_drop is None else request.max_drop
        chooser = PrecisionChooser(forge, device, corpus, drop, say)
        chosen = chooser.automatic() if request.precision == AUTO else chooser.within_drop(request.precision)
        made, trials = chosen.made, chosen.trials
    else:
        made = forge.make(request.precision)
    if device is None:
        return FinalGraph(made, trials), forge
    made, check = check_form(device, forge, made, say)
    return FinalGraph(made, trials, check), forge


def check_form(
    device: Device, forge: Forge, made: Made, say: Callable[[str], None]
) -> tuple[Made, dict[str, Any]]:
    """Compare `made` with the plain form of the same weights, which is taken where it is shown to be faster.

    Its session settings are put to the test too: what the graph loses in a session without them is said.
    A graph with layers kept in float stays as it is: in another form it would have other layers.
    """
    graphs = [(_CHOSEN, made.graph, made.variant.session)]
    plain: Made | None = None
    if made.variant.rewrites and not made.float_layers:
        plain = forge.make(made.precision, PLAIN)
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


def _variant_finder(
    run: RunDirectory, profile: Profile, plain: ModelProto, reachable: bool, say: Callable[[str], None]
) -> Callable[[str], Variant]:
    """The run's variant for a precision; one that the search did not need is found on the device now."""
    known = known_variants(run.info)

    def variant_for(precision: str) -> Variant:
        if precision == "int8-static":
            # Its products are those of dynamic int8, which TensorRT does not run.
            precision = "int8" if profile.provider == "cpu" else "fp32"
        if precision not in known and not reachable:
            return known["fp32"]
        if precision not in known:
            say(f"choosing the fastest form of the graph for {precision} on the target")
            with open_target(profile, say=say) as target:
                try:
                    known[precision] = find_variant(target, profile, plain, precision)
                except EngineError as error:
                    say(f"{error} The form of fp32 is taken.")
                    known[precision] = known["fp32"]
        return known[precision]

    return variant_for
