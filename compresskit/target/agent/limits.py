"""How much one client, and all of them together, may ask of an agent."""

from __future__ import annotations

import os
from dataclasses import dataclass

from compresskit.errors import ConfigurationError
from compresskit.target.agent.allowed import PROVIDER_OPTIONS, SESSION_OPTIONS, check_options
from compresskit.target.base import SessionSettings
from compresskit.target.profile import Profile

_GIB = 1 << 30


def _half_the_memory() -> int:
    import psutil

    return int(psutil.virtual_memory().total // 2)


@dataclass(frozen=True)
class Limits:
    """Bounds of an agent. Bytes and seconds stand in the names.

    `memory_bytes` bounds each process that looks into a graph or runs it, and a graph's weights.
    `spool_bytes` bounds all bodies that wait on disk together, `result_bytes` all results that are kept.
    A body has `body_seconds` and what its size takes at `body_bytes_per_second` to arrive. Connections
    that have shown no token are at most `max_strangers`, beside `max_connections` that have. A job is
    dropped when its client has not asked for it for `client_seconds`.
    """

    memory_bytes: int
    body_bytes: int = _GIB
    spool_bytes: int = 4 * _GIB
    body_seconds: float = 15.0
    body_bytes_per_second: float = 64 * 1024
    header_seconds: float = 10.0
    job_seconds: float = 300.0
    inspect_seconds: float = 60.0
    max_waiting: int = 64
    max_results: int = 1000
    result_bytes: int = 128 << 20
    max_connections: int = 256
    max_strangers: int = 128
    client_seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.memory_bytes < 256 << 20:
            raise ConfigurationError(
                f"memory limit {self.memory_bytes:,} bytes is too low; permitted: from 256 MiB."
            )

    @classmethod
    def of_this_machine(cls) -> Limits:
        """The defaults; half of the machine's memory for a graph."""
        return cls(memory_bytes=max(_half_the_memory(), 256 << 20))


def check_profile(profile: Profile, limits: Limits) -> None:
    """Raise ConfigurationError for a profile that asks too much, or sets an option that is not listed."""
    cores = os.cpu_count() or 1
    lengths = [length for length, _ in profile.lengths] or [profile.length]
    for what, value, most in (
        ("threads", profile.threads, 2 * cores),
        ("highest core", max(profile.cores, default=0), cores - 1),
        ("number of lengths", len(profile.lengths), 64),
        ("tokens in a batch", profile.texts * max(lengths), 1 << 20),
        ("warmup_runs", profile.warmup_runs, 10_000),
        ("min_runs", profile.min_runs, 100_000),
        ("max_runs", profile.max_runs, 100_000),
        ("max_seconds", profile.max_seconds, limits.job_seconds),
    ):
        if not 0 <= value <= most:
            raise ConfigurationError(f"the profile's {what} is {value:,}; this agent permits 0 to {most:,}.")
    check_options("provider option", profile.provider_options, PROVIDER_OPTIONS[profile.provider])
    check_options("session option", profile.session_options, SESSION_OPTIONS)


def check_session(session: SessionSettings) -> None:
    """Raise ConfigurationError for a session setting that is not listed."""
    check_options("session option", session.options, SESSION_OPTIONS)
