"""Versions of ONNX Runtime: the lowest in which a graph was tested, and the installed one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compresskit.bundle.manifest import Manifest
from compresskit.errors import ConfigurationError, EngineError

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Version = tuple[int, int, int]

CONTRIB = "com.microsoft"
# Each of these was found by running every form of graph in old releases (`benchmarks/runtimes`).
LOWEST: Version = (1, 18, 0)
# 1.20.0 fails on fp16.
CONTRIB_NORM: Version = (1, 20, 1)
# With a mask for all heads: up to 1.19 it fails, from 1.20.0 to 1.21.0 all rows but the first are wrong.
CONTRIB_ATTENTION: Version = (1, 21, 1)
OPSET_23: Version = (1, 23, 0)
# 1.23 has QuantizeLinear and DequantizeLinear up to opset 21 only.
QUANTIZED_OPSET_23: Version = (1, 24, 1)

_CONTRIB = {
    "SkipLayerNormalization": CONTRIB_NORM,
    "Attention": CONTRIB_ATTENTION,
    "MultiHeadAttention": CONTRIB_ATTENTION,
}
_QDQ = ("QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class RuntimeLimit:
    """The oldest ONNX Runtime that a graph must run in; `portable` permits ONNX's own operators alone."""

    oldest: Version
    portable: bool = False

    def and_for(self, version: Version) -> RuntimeLimit:
        """The limit for this version too."""
        return replace(self, oldest=min(self.oldest, version))

    def objection(self, model: ModelProto, *, static_int8: bool = False) -> str | None:
        """Why a graph is out of the question, None where it is not; `static_int8`: once it is in QDQ form."""
        if self.portable and (foreign := foreign_domains(model.graph.node)):
            return f"it has operators of {', '.join(foreign)}, and --portable permits ONNX's own alone"
        lowest = lowest_runtime(model, static_int8=static_int8)
        if lowest > self.oldest:
            return f"it needs onnxruntime {spelled(lowest)}, and {spelled(self.oldest)} must run it"
        return None


def lowest_runtime(model: ModelProto, *, static_int8: bool = False) -> Version:
    """The lowest ONNX Runtime in which graphs of this kind were proven right, for one row and for more.

    `static_int8`: what the graph needs once its products are in QDQ form.
    """
    found = {LOWEST}
    for node in model.graph.node:
        if foreign_domains([node]):
            if node.domain != CONTRIB or node.op_type not in _CONTRIB:
                raise EngineError(
                    f"operator {node.domain}.{node.op_type} was not tested in any ONNX Runtime; please "
                    "report it."
                )
            found.add(_CONTRIB[node.op_type])
    if opset_of(model) > 22:
        quantized = static_int8 or any(node.op_type in _QDQ for node in model.graph.node)
        found.add(QUANTIZED_OPSET_23 if quantized else OPSET_23)
    return max(found)


def runtime_facts(model: ModelProto) -> dict[str, Any]:
    """What a manifest says of where its graph runs."""
    return {
        "onnxruntime": spelled(lowest_runtime(model)),
        "opset": opset_of(model),
        "ir_version": int(model.ir_version),
        "other_domains": foreign_domains(model.graph.node),
    }


def check_runtime(
    folder: Path | str, manifest: Manifest, graph: Path | None = None, *, version: str | None = None
) -> None:
    """EngineError unless ONNX Runtime here, or one of `version`, is one in which the engine was proven.

    For an older engine, whose manifest does not say, its `graph` decides.
    """
    version = version or spelled(installed_version())
    needed = manifest.runtime.get("onnxruntime")
    if needed is None and graph is not None and parse_version(version) < QUANTIZED_OPSET_23:
        import onnx

        needed = spelled(lowest_runtime(onnx.load(str(graph), load_external_data=False)))
    if needed is not None and parse_version(version) < parse_version(str(needed)):
        raise EngineError(
            f"engine {folder} needs onnxruntime {needed} or later, this is {version}: older ones refuse "
            f"graph variant {manifest.variant} in {manifest.precision}, or answer wrongly. Install a later "
            f'one, or export the point again with --runtime ">={version}".'
        )


def installed_version() -> Version:
    """Of the ONNX Runtime of this process."""
    import onnxruntime

    return parse_version(str(onnxruntime.__version__))


def opset_of(model: ModelProto) -> int:
    """Version of ONNX's own operators."""
    return max(
        (int(item.version) for item in model.opset_import if item.domain in ("", "ai.onnx")), default=1
    )


def foreign_domains(nodes: Iterable[NodeProto]) -> list[str]:
    """Domains of operators that are not ONNX's own."""
    return sorted({node.domain for node in nodes} - {"", "ai.onnx"})


def parse_limit(text: str) -> Version:
    """The version in ">=1.20" or "1.20"; ConfigurationError for anything else and below `LOWEST`."""
    match = re.fullmatch(r"(?:>=)?\s*(\d+(?:\.\d+){1,2})", text.strip())
    version = parse_version(match[1]) if match else None
    if version is None or version < LOWEST:
        raise ConfigurationError(
            f"--runtime is {text!r}; permitted: the oldest ONNX Runtime that must run the engine, from "
            f'">={spelled(LOWEST)}", such as ">=1.20".'
        )
    return version


def parse_version(text: str) -> Version:
    """Major, minor and patch of a release such as 1.21.1 or 1.24.0.dev2026."""
    numbers = [int(part) for part in re.findall(r"\d+", text)[:3]]
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return major, minor, patch


def spelled(version: Version) -> str:
    return ".".join(map(str, version))
