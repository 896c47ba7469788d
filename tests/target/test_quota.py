"""Quotas as kernels show them: v1, v2 and both, in the group itself and above it, in containers."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from compresskit.bundle import session as bundle_session
from compresskit.target import detect, doctor, host, quota, threads
from compresskit.target.open import open_target
from compresskit.target.profile import Profile
from compresskit.target.quota import Quota, Throttling, cpu_quota, throttling
from compresskit.target.threads import thread_warnings
from tests.bundle.test_session import make_graph

V1_CPU = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct"
V1_MEMORY = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw"
HYBRID = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"


def machine(root: Path, groups: str, *mounts: str, **files: str) -> Path:
    """A root folder with these groups, mounts and files below /sys/fs/cgroup ("__" stands for "/")."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups + "\n")
    (root / "proc/self/mountinfo").write_text(
        "\n".join(("23 1 8:1 / / rw - ext4 /dev/sda rw", *mounts)) + "\n"
    )
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("cpu_", "cpu.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


def v1(group: str, quota_us: int, period_us: int = 100_000) -> dict[str, str]:
    return {f"{group}__cpu_cfs_quota_us": str(quota_us), f"{group}__cpu_cfs_period_us": str(period_us)}


def test_v1_in_the_group_itself(tmp_path: Path) -> None:
    files = v1("cpu", -1) | v1("cpu__job", 150_000)
    root = machine(tmp_path, "4:memory:/x\n1:cpu,cpuacct:/job\n0::/", V1_MEMORY, V1_CPU, **files)
    found = cpu_quota(root)
    assert found == Quota(1.5, 100.0, str(root / "sys/fs/cgroup/cpu/job")) and found.threads == 1
    assert throttling(root) == Throttling(0, 0.0)


def test_the_tightest_limit_above_counts(tmp_path: Path) -> None:
    files = v1("cpu", -1) | v1("cpu__outer", 50_000) | v1("cpu__outer__inner", 400_000)
    files |= {
        "cpu__outer__cpu_stat": "nr_periods 9\nnr_throttled 4\nthrottled_time 2500000000",
        "cpu__outer__inner__cpu_stat": "nr_periods 9\nnr_throttled 1\nthrottled_time 500000000",
    }
    root = machine(tmp_path, "1:cpu:/outer/inner", V1_CPU, **files)
    found = cpu_quota(root)
    assert found is not None and (found.cores, found.threads) == (0.5, 1) and found.group.endswith("outer")
    stopped = throttling(root)
    assert stopped == Throttling(5, 3.0) and stopped.since(Throttling(4, 1.0)) == Throttling(1, 2.0)


def test_v2(tmp_path: Path) -> None:
    files = {
        "a__b__cpu_max": "max 100000",
        "a__cpu_max": "250000 50000",
        "a__cpu_stat": "usage_usec 7\nnr_throttled 2\nthrottled_usec 1500000",
    }
    root = machine(tmp_path, "0::/a/b", V2, **files)
    assert cpu_quota(root) == Quota(5.0, 50.0, str(root / "sys/fs/cgroup/a"))
    assert throttling(root) == Throttling(2, 1.5)


def test_v1_beside_v2(tmp_path: Path) -> None:
    """A hybrid layout: v2 is mounted for the init system, controller `cpu` is v1's."""
    files = v1("cpu__job", 200_000) | {"unified__job__cgroup.procs": ""}
    root = machine(tmp_path, "1:cpu:/job\n0::/job", HYBRID, V1_CPU, **files)
    assert cpu_quota(root) == Quota(2.0, 100.0, str(root / "sys/fs/cgroup/cpu/job"))


@pytest.mark.parametrize(
    ("groups", "mounted"),
    [
        ("1:cpu:/docker/4f", "/docker/4f"),  # the host's path, and the container's group alone is mounted
        ("1:cpu:/", "/"),  # a namespace of its own
        ("1:cpu:/elsewhere", "/docker/4f"),
        ("1:cpu:/../4f", "/"),  # outside the namespace
    ],
)
def test_in_a_container(tmp_path: Path, groups: str, mounted: str) -> None:
    root = machine(tmp_path, groups, V1_CPU.replace("0:29 /", f"0:29 {mounted}"), **v1("cpu", 300_000))
    found = cpu_quota(root)
    assert found is not None and found.cores == 3.0


@pytest.mark.parametrize(
    "files",
    [{}, v1("cpu__job", -1), {"cpu__job__cpu_max": "max 100000"}, {"cpu__job__cpu_max": "none at all"}],
)
def test_no_limit(tmp_path: Path, files: dict[str, str]) -> None:
    root = machine(tmp_path, "1:cpu:/job\n0::/job", V1_CPU, HYBRID, **files)
    assert cpu_quota(root) is None and throttling(root) is None
    assert cpu_quota(tmp_path / "no such system") is None


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """8 CPUs, two to a core, and a quota of 2.5 cores."""
    topology = tmp_path / "cpus"
    for cpu in range(8):
        (topology / f"cpu{cpu}/topology").mkdir(parents=True)
        (topology / f"cpu{cpu}/topology/thread_siblings_list").write_text(f"{cpu % 4},{cpu % 4 + 4}\n")
    monkeypatch.setattr(host, "_CPU", topology)
    monkeypatch.setattr(host, "affinity", lambda: list(range(8)))
    monkeypatch.setattr(threads, "affinity", lambda: list(range(8)))
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 8 if logical else 4)
    root = machine(tmp_path / "root", "0::/", V2, cpu_max="250000 100000")
    monkeypatch.setattr(quota, "_ROOT", root)
    return root


def test_threads_are_bounded_by_quota_affinity_and_cores(
    container: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert host.physical_cores() == 2
    assert host.host_conditions()["quota_cores"] == 2.5
    assert host.physical_cores((1, 5)) == 1  # both of one core
    profile = detect.detect_profile()
    assert profile.threads == 2 and "CPU quota of 2.5" in profile.description
    (container / "sys/fs/cgroup/cpu.max").write_text("max 100000\n")
    assert host.physical_cores() == 4
    assert "quota_cores" not in host.host_conditions()
    monkeypatch.setattr(host, "affinity", lambda: [0, 4, 6])
    assert host.physical_cores() == 2


def test_more_threads_than_there_are_is_said(container: Path) -> None:
    assert thread_warnings(Profile("p", threads=2)) == thread_warnings(Profile("p", threads=0)) == []
    (text,) = thread_warnings(Profile("p", threads=3))
    assert "'p'" in text and "quota here (cgroup) is 2.5 cores" in text and "threads = 2" in text
    (text,) = thread_warnings(Profile("p", threads=2, cores=(3,)))
    assert "`cores`: 1." in text and "threads = 1" in text
    (text,) = thread_warnings(Profile("p", threads=9))
    assert "affinity mask" in text and "threads = 8" in text


def test_a_target_says_it_too(container: Path) -> None:
    said: list[str] = []
    open_target(Profile("p", threads=3), say=said.append).close()
    assert [line.startswith("warning: profile 'p': threads is 3") for line in said] == [True]


def test_doctor_says_what_a_quota_does(container: Path) -> None:
    (container / "sys/fs/cgroup/cpu.stat").write_text("nr_throttled 7\nthrottled_usec 2000000\n")
    (check,) = doctor._quota()
    assert check.status == "warn" and "2.5 cores of each 100 ms" in check.detail
    assert "stopped 7 times so far, for 2.0 s" in check.detail and "threads = 2" in check.remedy
    (container / "sys/fs/cgroup/cpu.max").write_text("max 100000\n")
    assert not list(doctor._quota())


def test_every_session_has_its_number_of_threads(container: Path) -> None:
    for asked in (None, 0):
        options = bundle_session.make_session(make_graph(), threads=asked).get_session_options()
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (2, 1)
