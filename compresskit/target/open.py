"""From a profile to its target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from compresskit.target.base import LatencyTarget
from compresskit.target.local import LocalTarget
from compresskit.target.profile import Profile
from compresskit.target.remote import RemoteTarget
from compresskit.target.threads import thread_warnings


def open_target(
    profile: Profile, *, baselines: Path | None = None, say: Callable[[str], None] = lambda _: None
) -> LatencyTarget:
    """The target of `profile`: the agent at its address, else a child process on this machine.

    `baselines` is a JSON file in which the reference's level is kept from process to process; `say` hears
    what the user should know meanwhile. Raises TargetError when the provider is not there (naming those
    that are), AgentError when the agent cannot be reached.
    """
    if profile.address is not None:
        return RemoteTarget(profile, baselines=baselines, say=say)
    for text in thread_warnings(profile):
        say(f"warning: {text}")
    return LocalTarget(profile, baselines=baselines)
