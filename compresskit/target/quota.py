"""CPU quotas of control groups: how many cores' worth of time this process may use, whatever its affinity.

A quota is so much processor time a period; a group that has used it up stands still until the period ends.
Neither the affinity mask nor the number of CPUs shows it. Source: the kernel's documentation,
admin-guide/cgroup-v2.rst ("cpu.max") and scheduler/sched-bwc.rst (v1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_ROOT = Path("/")


@dataclass(frozen=True)
class Quota:
    """A limit on processor time: `cores` may be a fraction, `group` is the folder of the control group."""

    cores: float
    period_ms: float
    group: str

    @property
    def threads(self) -> int:
        """Threads that can compute all the time without being stopped; 1 where not even one can."""
        return max(int(self.cores), 1)


@dataclass(frozen=True)
class Throttling:
    """How often, and for how long, the groups with a quota have stood still since they were made.

    `seconds` adds up the CPUs that stood still at the same time.
    """

    periods: int
    seconds: float

    def since(self, before: Throttling) -> Throttling:
        return Throttling(self.periods - before.periods, self.seconds - before.seconds)


def cpu_quota(root: Path | None = None) -> Quota | None:
    """The tightest quota of this process's groups and of all above them; None where there is none.

    `root` is the folder below which /proc and the mounted groups are looked for.
    """
    limits = [limit for folder in _groups(root or _ROOT) if (limit := _limit(folder))]
    return min(limits, key=lambda limit: limit.cores, default=None)


def throttling(root: Path | None = None) -> Throttling | None:
    """What the groups with a quota have stood still so far; None where no quota holds."""
    found = [_stood_still(folder) for folder in _groups(root or _ROOT) if _limit(folder)]
    if not found:
        return None
    return Throttling(sum(each.periods for each in found), sum(each.seconds for each in found))


def _groups(root: Path) -> Iterator[Path]:
    """Folders of this process's groups and of those above them, of v2 and of v1's controller `cpu`."""
    paths = _paths_of_process(root)
    seen: set[Path] = set()
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        if kind[0] == "cgroup" and "cpu" not in kind[2].split(","):
            continue
        path = paths.get(kind[0])
        if path is None:
            continue
        top = root / fields[4].lstrip("/")
        folder = top / _below(path, fields[3])
        while folder not in seen:
            seen.add(folder)
            yield folder
            if folder == top:
                break
            folder = folder.parent


def _paths_of_process(root: Path) -> dict[str, str]:
    """Type of the file system -> path of this process's group in it."""
    paths = {}
    for line in _lines(root / "proc/self/cgroup"):
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            paths["cgroup2"] = path
        elif "cpu" in controllers.split(","):
            paths["cgroup"] = path
    return paths


def _below(path: str, mounted: str) -> PurePosixPath:
    """`path` relative to the group that is mounted; the mounted group itself where it is not below it.

    In a container without a namespace of its own for groups, the path is the host's while the mount shows
    the container's group alone.
    """
    inside = PurePosixPath(path)
    if not inside.is_relative_to(mounted) or ".." in inside.parts:
        return PurePosixPath()
    return inside.relative_to(mounted)


def _limit(folder: Path) -> Quota | None:
    quota: str | None
    period: str | None
    quota, _, period = (_text(folder / "cpu.max") or "").partition(" ")
    if not period:
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    try:
        quota_us, period_us = float(quota or ""), float(period or "")
    except ValueError:  # "max", or no such file
        return None
    if quota_us <= 0 or period_us <= 0:  # v1 says -1 for none
        return None
    return Quota(quota_us / period_us, period_us / 1e3, str(folder))


def _stood_still(folder: Path) -> Throttling:
    values = dict(pair for line in _lines(folder / "cpu.stat") if len(pair := line.split()) == 2)
    seconds = int(values.get("throttled_usec", 0)) / 1e6 + int(values.get("throttled_time", 0)) / 1e9
    return Throttling(int(values.get("nr_throttled", 0)), seconds)


def _lines(path: Path) -> list[str]:
    return (_text(path) or "").splitlines()


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
