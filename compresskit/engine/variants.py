"""Named forms of one graph: which is fastest depends on the device, so it is measured there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto

from compresskit.blocks import BlockPlan
from compresskit.bundle.session import make_session
from compresskit.engine.attention import (
    attention_blocks,
    use_multi_head_attention,
    use_onnx_attention,
    use_packed_attention,
)
from compresskit.engine.block import compact_graph
from compresskit.engine.editing import GraphEditor, num_axes
from compresskit.engine.embeddings import word_tables
from compresskit.engine.rewrites import (
    fuse_norms,
    keep_first_token,
    keep_gelu_apart,
    keep_norms_apart,
    pack_projections,
)
from compresskit.engine.score import logits_of
from compresskit.errors import ConfigurationError, EngineError, TargetError, one_of
from compresskit.inputs import IMAGES, PIXELS, TEXT, TOKEN_IDS, InputSpec, Row
from compresskit.target.base import SessionSettings

Rewrite = Callable[[ModelProto], ModelProto]
TOLERANCE = 1e-4
_LONGEST = 24  # tokens of the texts that two forms of a graph are compared on
_SEGMENTS = 4  # rows, at most, of a table that tells the parts of a text apart
# A later variant must beat the best so far by this much: a draw goes to the simpler graph.
MARGIN = 0.005
# What a file cannot hold must gain more: whoever loads the graph alone goes without it.
SESSION_MARGIN = 0.02


@dataclass(frozen=True)
class Variant:
    """Rewrites of the plain graph, and what its session needs beside them."""

    name: str
    rewrites: tuple[Rewrite, ...] = ()
    session: SessionSettings = field(default_factory=SessionSettings)

    def apply(self, model: ModelProto, blocks: BlockPlan | None = None) -> ModelProto:
        """Rewrite a plain graph, dense or sliced, in place; returns it.

        The matrices of `blocks` are stored and computed in blocks; projections that are not whole
        are not packed.
        """
        for rewrite in self.rewrites if blocks is None else _leave_apart(model, self.rewrites, blocks):
            model = rewrite(model)
        return model if blocks is None else compact_graph(model, blocks)

    def with_session(self, name: str) -> Variant:
        """This variant under the session settings of `SESSIONS` called `name`."""
        return Variant(f"{self.name}+{name}", self.rewrites, SESSIONS[name])


def _leave_apart(model: ModelProto, rewrites: tuple[Rewrite, ...], blocks: BlockPlan) -> tuple[Rewrite, ...]:
    """The rewrites, without those that would join projections of which `blocks` has one."""
    joined = {
        linear.matmul.input[1] for block in attention_blocks(GraphEditor(model)) for linear in block.linears
    }
    if not any(f"{name}.weight" in joined for name, _ in blocks.items()):
        return rewrites
    others = (use_multi_head_attention if r is use_packed_attention else r for r in rewrites)
    return tuple(rewrite for rewrite in others if rewrite is not pack_projections)


_FIRST: tuple[Rewrite, ...] = (keep_norms_apart, keep_first_token)
VARIANTS: tuple[Variant, ...] = (
    Variant("plain"),
    Variant("first-token", _FIRST),
    Variant("first-token-packed", (*_FIRST, pack_projections)),
    Variant("first-token-onnx-attention", (*_FIRST, use_onnx_attention)),
    Variant("first-token-multi-head", (*_FIRST, use_multi_head_attention)),
    Variant("first-token-packed-attention", (*_FIRST, use_packed_attention)),
    Variant("first-token-fused-norms", (keep_first_token, fuse_norms)),
    Variant("first-token-packed-fused-norms", (keep_first_token, fuse_norms, use_packed_attention)),
    Variant("first-token-apart-gelu", (*_FIRST, keep_gelu_apart)),
    Variant("first-token-onnx-attention-apart-gelu", (*_FIRST, use_onnx_attention, keep_gelu_apart)),
)


# Options of ONNX Runtime's session; the last two matter where several threads share the work.
SESSIONS = {
    "no-arena": SessionSettings(options={"session.enable_cpu_mem_arena": "0"}),
    "no-memory-pattern": SessionSettings(options={"session.enable_mem_pattern": "0"}),
    "dynamic-blocks": SessionSettings(options={"session.dynamic_block_base": "4"}),
    "no-spinning": SessionSettings(options={"session.intra_op.allow_spinning": "0"}),
}
ONE_THREAD = ("no-arena", "no-memory-pattern")


def variant_named(name: str) -> Variant:
    """The variant of this name, `GRAPH` or `GRAPH+SESSION`; ConfigurationError lists those that exist."""
    graph, plus, session = name.partition("+")
    for variant in VARIANTS:
        if variant.name == graph and (not plus or session in SESSIONS):
            return variant.with_session(session) if plus else variant
    raise ConfigurationError(one_of("graph variant", name, [variant.name for variant in VARIANTS]))


def choose_variant(
    measure: Callable[[ModelProto, Variant], float],
    model: ModelProto,
    *,
    variants: Iterable[Variant] = VARIANTS,
    objection: Callable[[ModelProto], str | None] = lambda _: None,
) -> Variant:
    """The variant of the plain graph `model` for which `measure` gives the least milliseconds.

    A variant to which there is an `objection`, that differs from the plain graph, or that the target
    refuses (TargetError), is out. EngineError when none is left.
    """
    best: tuple[float, Variant] | None = None
    for variant in variants:
        try:
            graph = variant.apply(deepcopy(model))
            if objection(graph) is not None:
                continue
            check_equal(model, graph, variant.session)
            latency_ms = measure(graph, variant)
        except (EngineError, TargetError):
            continue
        if best is None or latency_ms < best[0] * (1 - MARGIN):
            best = latency_ms, variant
    if best is None:
        raise EngineError("no variant of the graph runs on this target; see `compresskit doctor`.")
    return best[1]


def choose_session(
    measure: Callable[[ModelProto, Variant], float],
    model: ModelProto,
    variant: Variant,
    *,
    sessions: Iterable[str] = tuple(SESSIONS),
) -> Variant:
    """`variant` under the session settings that gain the most, or without any where none gains 2 %.

    `model` is the plain graph.
    """
    best_ms, best = measure(variant.apply(deepcopy(model)), variant) * (1 - SESSION_MARGIN), variant
    for name in sessions:
        other = variant.with_session(name)
        try:
            latency_ms = measure(other.apply(deepcopy(model)), other)
        except TargetError:
            continue
        if latency_ms < best_ms:
            best_ms, best = latency_ms, other
    return best


def check_equal(plain: ModelProto, other: ModelProto, session: SessionSettings) -> float:
    """Largest difference on texts of several lengths; EngineError above 1e-4.

    Of what scores in one batch, and of all outputs of each text alone: of padding they may be anything.
    """
    rows, inputs = sample_rows(plain), _inputs_of(plain)
    pairs = [(logits_of(plain, rows, inputs=inputs), logits_of(other, rows, session, inputs=inputs))]
    pairs += zip(_outputs(plain, rows, None), _outputs(other, rows, session), strict=True)
    if any(one.shape != another.shape for one, another in pairs):
        raise EngineError("a rewritten graph has outputs of another shape.")
    difference = float(max(np.abs(one - another).max() for one, another in pairs))
    if not difference <= TOLERANCE:
        raise EngineError(f"a rewritten graph differs from the plain one by {difference:.1e}.")
    return difference


def _outputs(
    graph: ModelProto, rows: Sequence[Row], session: SessionSettings | None
) -> list[npt.NDArray[Any]]:
    """All outputs of each row, one after the other."""
    running = make_session(graph.SerializeToString(), session)
    names, inputs = [item.name for item in running.get_inputs()], _inputs_of(graph)
    return [output for row in rows for output in running.run(None, inputs.batch([row], names))]


def sample_rows(model: ModelProto, *, seed: int = 0) -> list[Row]:
    """Texts of random tokens, or several a row, of different lengths, within what the graph's tables hold.

    Of a graph that reads images these of its size.
    """
    if _inputs_of(model) is IMAGES:
        return _sample_images(model, seed)
    editor = GraphEditor(model)
    words = {node.input[0] for node in word_tables(editor)}
    tables = {node.input[0] for node in editor.of_type("Gather")} & editor.initializers.keys() - words
    rows = [editor.initializers[name].dims[0] for name in tables if len(editor.initializers[name].dims) == 2]
    longest = min([_LONGEST, *(size - 2 for size in rows if size > _SEGMENTS)])  # tables of positions
    vocabulary = min(editor.initializers[name].dims[0] for name in words)
    random = np.random.default_rng(seed)
    texts = [random.integers(2, vocabulary, size).tolist() for size in (longest, longest // 2, 3)]
    if len(_inputs_of(model).inputs[0].axes) > 1:
        return [{TOKEN_IDS: texts[place:] + texts[:place]} for place in range(len(texts))]
    return [{TOKEN_IDS: text} for text in texts]


def _sample_images(model: ModelProto, seed: int) -> list[Row]:
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim[1:]]
    random = np.random.default_rng(seed)
    return [{PIXELS: random.standard_normal(shape, dtype=np.float32)} for _ in range(3)]


def _inputs_of(model: ModelProto) -> InputSpec:
    """Inputs of a graph of images, of texts, or of several texts a row."""
    if model.graph.input[0].name == PIXELS:
        return IMAGES
    return TEXT.along(("texts", "length")) if num_axes(model.graph.input[0]) > 2 else TEXT
