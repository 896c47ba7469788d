"""More threads than a machine can run."""

from __future__ import annotations

from compresskit.target.host import affinity
from compresskit.target.profile import Profile
from compresskit.target.quota import cpu_quota


def thread_warnings(profile: Profile) -> list[str]:
    """What a profile of this machine asks beyond its affinity mask, its `cores` or the CPU quota."""
    cpus, quota = len(profile.cores or affinity()), cpu_quota()
    asked = f"profile {profile.name!r}: threads is {profile.threads}"
    if profile.threads > cpus:
        where = "its `cores`" if profile.cores else "the affinity mask of this process"
        return [
            f"{asked}, but CPUs in {where}: {cpus}. Threads that wait for each other's CPU are slower than "
            f"fewer: set threads = {cpus}, or 0 for what is there."
        ]
    if quota is not None and profile.threads > quota.threads:
        return [
            f"{asked}, but the CPU quota here (cgroup) is {quota.cores:g} cores: they stand still for "
            f"the rest of each {quota.period_ms:g} ms. Set threads = {quota.threads}, or 0 for what is there."
        ]
    return []
