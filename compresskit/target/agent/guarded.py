"""The process that checks what came over the network: `python -m compresskit.target.agent.guarded`.

It parses and checks graphs, fills in their weights and runs real engines, one request at a time, below
its memory limit. Whatever a hostile graph does to it, its owner starts another one.
"""

from __future__ import annotations

import gc
import shutil
from pathlib import Path
from typing import Any, BinaryIO

from compresskit.target.agent.checks import accept_graph
from compresskit.target.agent.engines import compare_engines, compute_logits
from compresskit.target.frames import read_frame, write_frame
from compresskit.target.stripped_graph import fill_weights, weight_bytes
from compresskit.target.worker import configure, open_pipes

_HIGHEST_OPSET = 40  # where the search for what ONNX Runtime loads begins
_HIGHEST_IR = 24
_ROOM = 4  # a folder is taken when so many times the weights fit in


def answer(request: dict[str, Any]) -> dict[str, Any]:
    do = request["do"]
    if do == "configure":
        return configure([], request["memory_limit_bytes"])
    if do == "facts":
        return runtime_facts()
    if do == "accept":
        return {"path": str(accept(request))}
    if do == "logits":
        return compute_logits(request)
    if do == "compare":
        return compare_engines(request)
    raise ValueError(f"unknown request {do!r}")


def accept(request: dict[str, Any]) -> Path:
    """Check the graph that lies in a part of a file, fill it in, and write it into a folder with room."""
    with Path(request["source"]).open("rb") as file:
        file.seek(request["offset"])
        data = file.read(request["size"])
    limit = request["weights_limit_bytes"]
    model = accept_graph(data, memory_limit_bytes=limit)
    del data
    *better, last = map(Path, request["folders"])
    wanted = _ROOM * weight_bytes(model)
    folder = next((each for each in better if shutil.disk_usage(each).free > wanted), last)
    return fill_weights(model, folder, memory_limit_bytes=limit)


def runtime_facts() -> dict[str, Any]:
    """ONNX Runtime's version and providers, and the newest opset and IR version that it loads."""
    import onnxruntime as ort

    opset = next((o for o in range(_HIGHEST_OPSET, 12, -1) if _loads(o, 8)), 13)
    ir_version = next((v for v in range(_HIGHEST_IR, 7, -1) if _loads(opset, v)), 8)
    return {
        "onnxruntime": ort.__version__,
        "providers": ort.get_available_providers(),
        "opset": opset,
        "ir_version": ir_version,
    }


def _loads(opset: int, ir_version: int) -> bool:
    """Whether ONNX Runtime here takes a graph of these versions."""
    import onnxruntime as ort
    from onnx import TensorProto, helper

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "probe", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception:  # ONNX Runtime has no one class for this
        return False
    return True


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    while (frame := read_frame(requests)) is not None:
        try:
            reply: dict[str, Any] = {"error": None, **answer(frame[0])}
        except Exception as error:  # belongs to the graph, not to us
            reply = {"error": f"{error}"[:2000] or type(error).__name__, "kind": type(error).__name__}
        gc.collect()
        write_frame(replies, reply)


def main() -> None:
    serve(*open_pipes())


if __name__ == "__main__":
    main()
