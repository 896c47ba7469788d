from __future__ import annotations

import errno

import pytest

from compresskit.exhausted import is_disk_full, is_out_of_memory

DISK = [
    OSError(errno.ENOSPC, "x"),
    OSError(errno.EDQUOT, "x"),
    Exception("Error while serializing: I/O error: No space left on device (os error 28)"),  # safetensors
    Exception("No space left on device (os error 28)"),  # tokenizers
    RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"),  # torch.save
    RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
]
MEMORY = [
    MemoryError(),
    OSError(errno.ENOMEM, "x"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: you tried"
    ),
    RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : std::bad_alloc"),
    RuntimeError("Failed to allocate memory for requested buffer of size 4096000000"),
    RuntimeError("Available memory of 4 is smaller than requested bytes of 8"),
    ValueError("Unable to allocate 7.45 GiB for an array with shape (1000000000,) and data type float64"),
]


@pytest.mark.parametrize("error", DISK)
def test_a_full_disk_in_the_words_of_each_library(error: Exception) -> None:
    assert is_disk_full(error)
    assert not is_out_of_memory(error)


@pytest.mark.parametrize("error", MEMORY)
def test_a_failed_allocation_in_the_words_of_each_library(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert not is_disk_full(error)


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "denied"), ValueError("x"), KeyError("memory")])
def test_others_are_neither(error: Exception) -> None:
    assert not is_disk_full(error)
    assert not is_out_of_memory(error)


def test_the_cause_counts() -> None:
    error = ValueError("could not save")
    error.__cause__ = OSError(errno.ENOSPC, "full")
    assert is_disk_full(error)


def test_what_was_handled_before_does_not_count_when_it_is_suppressed() -> None:
    error = ValueError("another matter")
    error.__context__ = OSError(errno.ENOSPC, "full")
    assert is_disk_full(error)
    error.__suppress_context__ = True
    assert not is_disk_full(error)
