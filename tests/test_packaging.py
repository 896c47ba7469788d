"""What is installed: dependencies, pins and the files of the wheel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomllib
from packaging.requirements import Requirement

import compresskit

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, Any] = settings["project"]
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(python: str) -> dict[str, str]:
    """Pinned version of each package on Python `python`."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found: dict[str, str] = {}
    for line in lines:
        if not line or line.startswith("#"):
            continue
        pin = Requirement(line)
        if pin.marker and not pin.marker.evaluate({"python_version": python}):
            continue
        (only,) = pin.specifier
        assert only.operator == "==", line
        assert canonical(pin.name) not in found, f"{pin.name} is pinned twice on Python {python}"
        found[canonical(pin.name)] = only.version
    return found


def applying(lines: list[str], python: str) -> Iterator[Requirement]:
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            yield requirement


def test_one_version(project: dict[str, Any]) -> None:
    assert project["version"] == compresskit.__version__
    assert f"## [{compresskit.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_base_install_has_no_deep_learning(project: dict[str, Any]) -> None:
    names = {canonical(Requirement(line).name) for line in project["dependencies"]}
    assert not names & {"torch", "transformers", "optimum", "syne-tune", "datasets", "onnxruntime"}
    assert set(project["optional-dependencies"]) == {"search", "cpu", "gpu", "images", "dev"}


@pytest.mark.parametrize(
    ("python", "extras"),
    [("3.10", ["cpu"]), ("3.11", ["search", "cpu", "dev"]), ("3.13", ["search", "cpu", "dev"])],
)
def test_every_dependency_is_pinned_within_its_range(
    project: dict[str, Any], python: str, extras: list[str]
) -> None:
    pinned = pins(python)
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    for requirement in applying(lines, python):
        version = pinned.get(canonical(requirement.name))
        assert version, f"{requirement.name} has no pin on Python {python}"
        assert requirement.specifier.contains(version), f"{requirement} excludes the pinned {version}"


def test_torch_is_pinned_exactly() -> None:
    assert pins("3.11")["torch"] == "2.13.0"


def build(version: str, folder: Path) -> Path:
    """Build a wheel, `standard` or `editable`."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", f"wheel:{version}", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_wheel_carries_every_file_of_the_package(tmp_path: Path) -> None:
    carried = set(zipfile.ZipFile(build("standard", tmp_path)).namelist())
    package = ROOT / "compresskit"
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= carried
    assert "compresskit/py.typed" in carried
    assert {name.partition("/")[0] for name in carried} == {
        "compresskit",
        f"compresskit-{compresskit.__version__}.dist-info",
    }
    assert any(name.endswith("/licenses/LICENSE") for name in carried)


SHOW_PROFILES = """
import json, pathlib, site, sys
sys.path[:] = [path for path in sys.path if path and not pathlib.Path(path, "compresskit").is_dir()]
site.addsitedir({folder!r})
import compresskit
from compresskit.target.profile import list_profiles, load_profile
profiles = [load_profile(name).name for name in list_profiles()]
print(json.dumps([str(pathlib.Path(compresskit.__file__).parents[1]), profiles]))
"""


@pytest.mark.parametrize("installed", ["clone", "editable", "standard"])
def test_built_in_profiles_are_found(installed: str, tmp_path: Path) -> None:
    site = ROOT
    if installed != "clone":
        site = tmp_path / "site"
        with zipfile.ZipFile(build(installed, tmp_path)) as wheel:
            wheel.extractall(site)
    done = subprocess.run(
        [sys.executable, "-I", "-c", SHOW_PROFILES.format(folder=str(site))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    parent, names = json.loads(done.stdout)
    assert parent == str(site if installed == "standard" else ROOT)
    assert names == sorted(path.stem for path in (ROOT / "profiles").glob("*.toml"))
    assert "cpu-1-thread" in names
