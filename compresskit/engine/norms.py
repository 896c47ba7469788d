"""Root mean square norms in operators that every runtime has, as ONNX Runtime fuses them again."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, TensorProto

from compresskit.engine.editing import GraphEditor, attributes_of
from compresskit.errors import EngineError


def write_out_norm(editor: GraphEditor, node: NodeProto) -> None:
    """`x / sqrt(mean(x^2) + epsilon) * weight` over the last axis, in place of RMSNormalization (opset 23).

    Zhang and Sennrich 2019, arXiv 1910.07467, equation 4.
    """
    settings = attributes_of(node)
    if settings.get("axis", -1) != -1 or len(node.input) != 2:
        raise EngineError(f"norm {node.name!r} is of a kind that is not known.")
    source, weight = node.input
    result = node.output[0]
    two = editor.add_constant("norm_two", np.array(2.0, dtype=np.float32), shared=True)
    axes = editor.add_constant("norm_axes", np.array([-1], dtype=np.int64), shared=True)
    small = np.array(settings.get("epsilon", 1e-5), dtype=np.float32)
    epsilon = editor.add_constant("norm_epsilon", small, shared=True)
    names = [editor.fresh(f"{result}_{part}") for part in ("square", "mean", "safe", "root", "normed")]
    editor.remove(node)
    place = editor.uses(result)[0]
    for op_type, inputs, output in (
        ("Pow", [source, two], names[0]),
        ("ReduceMean", [names[0], axes], names[1]),
        ("Add", [names[1], epsilon], names[2]),
        ("Sqrt", [names[2]], names[3]),
        ("Div", [source, names[3]], names[4]),
        ("Mul", [names[4], weight], result),
    ):
        added = editor.add(op_type, inputs, [output], before=place)
        added.metadata_props.extend(node.metadata_props)


def keep_norms_in_float(editor: GraphEditor) -> set[str]:
    """Surround norms that are written out with casts, in a graph that is to compute in fp16.

    Squares of activations beyond 255 are infinite there. Returns the names of what stays in float.
    """
    kept: set[str] = set()
    for square in editor.of_type("Pow"):
        chain = [square]
        for op_type in ("ReduceMean", "Add", "Sqrt", "Div"):
            following = editor.only_use(chain[-1].output[0])
            if following is None or following.op_type != op_type:
                break
            chain.append(following)
        else:
            kept.update(name for node in chain for name in (*node.input[1:], *node.output))
            _surround(editor, square, chain[-1])
    return kept


def _surround(editor: GraphEditor, first: NodeProto, last: NodeProto) -> None:
    source, result = first.input[0], last.output[0]
    single, half = editor.fresh(f"{source}_single"), editor.fresh(f"{result}_half")
    editor.redirect(result, half)
    after = editor.uses(half)[0]
    editor.add("Cast", [source], [single], before=first, name=f"{single}/Cast", to=TensorProto.FLOAT)
    for node in (first, last):
        node.input[0] = single
    editor.add("Cast", [result], [half], before=after, name=f"{half}/Cast", to=TensorProto.FLOAT16)
