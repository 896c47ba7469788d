"""Ranges of activations on real texts, for static int8."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from onnx import ModelProto, ValueInfoProto

from compresskit.bundle.batching import batches
from compresskit.bundle.session import make_session
from compresskit.engine.quantize import quantizable_weights
from compresskit.inputs import TEXT, InputSpec, Row

Ranges = dict[str, tuple[float, float]]


def activation_ranges(
    model: ModelProto, rows: Sequence[Row], *, inputs: InputSpec = TEXT, batch_size: int = 16
) -> Ranges:
    """Least and greatest value, over all rows, of what each product with a weight reads.

    `rows` are encoded texts of the training data; a hundred or so suffice. Padding counts too, as
    it does when the engine runs.
    """
    names = sorted(quantizable_weights(model))
    watched = deepcopy(model)
    watched.graph.output.extend(ValueInfoProto(name=name) for name in names)
    session = make_session(watched.SerializeToString())
    given = [item.name for item in session.get_inputs()]
    ranges: Ranges = {}
    for chunk in batches(rows, batch_size, inputs):
        values = session.run(names, inputs.batch([rows[i] for i in chunk], given))
        for name, value in zip(names, values, strict=True):
            low, high = ranges.get(name, (0.0, 0.0))
            ranges[name] = min(low, float(value.min())), max(high, float(value.max()))
    return ranges
