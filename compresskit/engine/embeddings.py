"""The table of word embeddings, half of a small model's bytes, in fp16 or int8."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto

from compresskit.engine.editing import GraphEditor
from compresskit.engine.quantize import quantize_weight
from compresskit.errors import ConfigurationError, EngineError, one_of
from compresskit.inputs import TOKEN_IDS

EMBEDDING_PRECISIONS = ("fp32", "fp16", "int8")


def check_embeddings(precision: str) -> None:
    """ConfigurationError for a precision that embeddings cannot have."""
    if precision not in EMBEDDING_PRECISIONS:
        raise ConfigurationError(one_of("--embeddings", precision, EMBEDDING_PRECISIONS))


def compress_embeddings(model: ModelProto, precision: str) -> ModelProto:
    """The graph with its word embeddings stored in fp32 (as they are), fp16 or int8, in place.

    int8 is symmetric with one scale a row, that is a token. Rows are brought back behind the Gather, so
    that only those of the text at hand are computed. EngineError for a graph without such a table.
    """
    check_embeddings(precision)
    if precision == "fp32":
        return model
    editor = GraphEditor(model)
    nodes = word_tables(editor)
    if not nodes:
        raise EngineError("the graph has no table of word embeddings; leave out --embeddings.")
    for node in nodes:
        _compress(editor, node, precision)
    return editor.finish()


def word_tables(editor: GraphEditor) -> list[NodeProto]:
    """The look-ups of token ids in a table."""
    found = (node for node in editor.of_type("Gather") if node.input[0] in editor.initializers)
    return [node for node in found if _before_reshape(editor, node.input[1]) == TOKEN_IDS]


def _before_reshape(editor: GraphEditor, name: str) -> str:
    """The value that a model folds into rows of tokens, if it does."""
    node = editor.producer.get(name)
    return str(node.input[0]) if node is not None and node.op_type == "Reshape" else name


def _compress(editor: GraphEditor, node: NodeProto, precision: str) -> None:
    name, tokens, output = node.input[0], node.input[1], node.output[0]
    kind = editor.initializers[name].data_type
    table = editor.constant(name)
    assert table is not None
    if precision == "fp16" and table.dtype == np.float16:
        return
    stem = node.name.rpartition("/")[0]
    rows = editor.fresh(f"{output}_stored")
    if precision == "fp16":
        half = editor.add_constant(f"{name}.half", table.astype(np.float16))
        result = editor.fresh(f"{output}_restored")
        editor.add("Gather", [half, tokens], [rows], before=node, name=f"{stem}/GatherHalf", axis=0)
        editor.add("Cast", [rows], [result], before=node, name=f"{stem}/CastHalf", to=kind)
    else:
        values, scales = quantize_weight(table.T.astype(np.float32))
        packed = editor.add_constant(f"{name}.quantized", values.T)
        factors = editor.add_constant(f"{name}.scale", scales[:, None].astype(table.dtype))
        whole, factor, result = (editor.fresh(f"{output}_{part}") for part in ("cast", "scale", "restored"))
        editor.add("Gather", [packed, tokens], [rows], before=node, name=f"{stem}/GatherInteger", axis=0)
        editor.add("Gather", [factors, tokens], [factor], before=node, name=f"{stem}/GatherScale", axis=0)
        editor.add("Cast", [rows], [whole], before=node, name=f"{stem}/CastInteger", to=kind)
        editor.add("Mul", [whole, factor], [result], before=node, name=f"{stem}/Rescale")
    editor.redirect(output, result)
