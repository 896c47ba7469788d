"""Whether an error says that memory or disk space ran out: each library has words of its own for it."""

from __future__ import annotations

import errno

_DISK_ERRNO = {errno.ENOSPC, errno.EDQUOT}
_DISK_WORDS = (
    "no space left on device",  # the system's, in safetensors and tokenizers too
    "disk quota exceeded",
    "file write failed",  # torch.save
)
_MEMORY_WORDS = (
    "memoryerror",
    "bad_alloc",  # C++
    "bad allocation",
    "failed to allocate",  # ONNX Runtime
    "available memory of",  # ONNX Runtime's arena
    "unable to allocate",  # numpy
    "can't allocate memory",  # torch on a CPU
    "cannot allocate memory",  # the system's
    "out of memory",  # CUDA
    "alloc_failed",  # cuBLAS and cuDNN
    "mib, more than the limit",  # ours, of a worker that was stopped or killed
    "ran out of memory",
    "memory ran out",
)


def is_disk_full(error: BaseException) -> bool:
    """Whether `error`, or what it came from, is a full disk or an exhausted quota."""
    return any(_says_disk(each) for each in _chain(error))


def is_out_of_memory(error: BaseException | str) -> bool:
    """Whether `error`, what it came from, or the text of one, is a failed allocation."""
    if isinstance(error, str):
        return any(words in error.lower() for words in _MEMORY_WORDS)
    return any(_says_memory(each) for each in _chain(error))


def _says_disk(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _DISK_ERRNO
    words = str(error).lower()
    # torch.save on a full disk, as its own check of what it wrote says it.
    torch_save = "inline_container.cc" in words and "unexpected pos" in words
    return torch_save or any(each in words for each in _DISK_WORDS)


def _says_memory(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or is_out_of_memory(str(error))


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in found:
        found.append(each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return found
