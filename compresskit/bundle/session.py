"""ONNX Runtime sessions for serving and scoring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compresskit.errors import EngineError, one_of, reason_of
from compresskit.exhausted import is_out_of_memory
from compresskit.target.base import SessionSettings
from compresskit.target.host import physical_cores

PROVIDERS = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
}


def make_session(
    model: bytes | Path | str,
    settings: SessionSettings | None = None,
    *,
    provider: str = "cpu",
    threads: int | None = None,
) -> Any:
    """An `onnxruntime.InferenceSession` with what the graph needs set.

    `threads` of None or 0 means the physical cores that this process may use, within its CPU quota: ONNX
    Runtime's own choice knows no quota and binds its threads to CPUs outside the affinity mask.
    EngineError for an unknown or missing provider and for a graph that does not load.
    """
    import onnxruntime

    if provider not in PROVIDERS:
        raise EngineError(one_of("provider", provider, PROVIDERS))
    wanted, available = PROVIDERS[provider], onnxruntime.get_available_providers()
    if wanted[0] not in available:
        raise EngineError(
            f"this onnxruntime has no {wanted[0]}; it has {', '.join(available)}. "
            "Install onnxruntime-gpu, or use provider cpu."
        )
    settings = settings or SessionSettings()
    try:
        return onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model),
            settings.session_options(threads or physical_cores()),
            providers=[name for name in wanted if name in available],
        )
    except Exception as error:  # onnxruntime's own classes share no base
        what = "the graph" if isinstance(model, bytes) else str(model)
        reason = reason_of(error)
        if is_out_of_memory(error):
            raise EngineError(
                f"memory ran out while {what} was loaded ({reason}); free memory, or use a smaller engine."
            ) from error
        raise EngineError(f"onnxruntime {onnxruntime.__version__} does not load {what}: {reason}") from error
