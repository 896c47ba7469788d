"""The order of the floors, and what each may import."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import compresskit
from compresskit.cli.app import COMMANDS, EXTRAS

PACKAGE = Path(compresskit.__file__).parent

# From the top down; a file imports its own floor and those below, never one above. The pipeline has two:
# what a user starts, and the parts that it and the methods are made of.
FLOORS = (
    "cli",
    "api",
    "pipeline",
    "methods",
    "pipeline parts",
    "report",
    "searchers",
    "engine",
    "pruning",
    "training",
    "supernet",
    "bundle",
    "tasks",
    "data",
    "entities",
    "images",
    "target",
    "runs",
    "families",
    "spaces",
    "options",
)
STARTED = {f"pipeline.{name}" for name in ("search", "export", "bench", "demo", "check", "preview")}
NAMES = "methods.names"  # needed by settings and records, so it lies on the ground
GROUND = (
    *("architecture", "blocks", "closing", "display", "errors", "exhausted", "field_types", "inputs", "kept"),
    *("outputs", "pareto", "slicing", NAMES),
)
LIGHT = (*FLOORS[FLOORS.index("bundle") :], *GROUND)

# What a device has: the base install, and the onnxruntime that it chose.
BASE = {
    *("h11", "httpx", "numpy", "onnx", "platformdirs", "psutil", "rich", "starlette"),
    *("tokenizers", "tomli", "typer", "uvicorn", "compresskit", "google"),
}
# Imported inside functions only, where the package is there: floor -> packages.
DEFERRED = {"bundle": {"onnxruntime"}, "target": {"onnxruntime"}} | {
    "data": {"datasets", "pyarrow", "transformers"},
    "images": {"PIL"},
    "families": {"optimum"},
    "spaces": {"syne_tune"},
}


@dataclass(frozen=True)
class Import:
    file: str  # relative to the package
    module: str
    deferred: bool  # inside a function

    @property
    def floor(self) -> str:
        """The floor (or ground file) that the importing file belongs to."""
        return floor_of(self.file.removesuffix(".py").replace("/", "."))

    @property
    def target(self) -> str:
        """The floor that is imported; "" for another package or the version."""
        package, _, module = self.module.partition(".")
        return floor_of(module) if package == "compresskit" else ""


def floor_of(module: str) -> str:
    """The floor of a module below `compresskit`, such as "pipeline.search"."""
    if module == NAMES:
        return NAMES
    floor = module.partition(".")[0]
    return "pipeline parts" if floor == "pipeline" and module not in STARTED else floor


def imports_of(path: Path) -> Iterator[Import]:
    file = path.relative_to(PACKAGE).as_posix()

    def walk(node: ast.AST, deferred: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, alias.name, deferred)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            assert node.module
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                ours = (PACKAGE.parent / inner.replace(".", "/")).is_dir() or (
                    PACKAGE.parent / f"{inner.replace('.', '/')}.py"
                ).is_file()
                yield Import(file, inner if ours else node.module, deferred)
        inside = deferred or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inside)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), False)


FILES = sorted(PACKAGE.rglob("*.py"))
ALL = [found for path in FILES for found in imports_of(path)]


def test_every_floor_is_in_the_order() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert folders == set(FLOORS) - {"pipeline parts"}
    files = {path.stem for path in PACKAGE.glob("*.py")}
    assert files - {"__init__", "__main__"} == set(GROUND) - {NAMES}
    assert all((PACKAGE / f"{module.replace('.', '/')}.py").is_file() for module in (NAMES, *STARTED))


def test_imports_go_down_only() -> None:
    depth = {name: number for number, name in enumerate(FLOORS)} | dict.fromkeys(GROUND, len(FLOORS))
    climbing = [
        f"{found.file} imports {found.module}"
        for found in ALL
        if found.file not in ("__init__.py", "__main__.py")
        and found.target
        and depth[found.target] < depth[found.floor]
    ]
    assert not climbing, "\n".join(climbing)


def test_families_do_not_know_each_other() -> None:
    shared = {"compresskit.families.base"}
    related = [
        f"{found.file} imports {found.module}"
        for found in ALL
        if found.floor == "families" and found.file not in ("families/__init__.py", "families/base.py")
        if found.target == "families" and found.module not in shared
    ]
    assert not related, "\n".join(related)


def test_files_do_not_import_in_circles() -> None:
    graph: dict[str, set[str]] = {}
    names = {
        path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", "."): 0 for path in FILES
    }
    known = {name.removesuffix(".__init__") for name in names}
    for found in ALL:
        source = f"compresskit/{found.file}".removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if found.module in known and source != "compresskit":
            graph.setdefault(source, set()).add(found.module)
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail[trail.index(module) :], module))
        if module not in done:
            for other in sorted(graph.get(module, set()) - {module}):
                visit(other, (*trail, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


# What loads our own modules late: commands start quickly so, a name of the package has its module then, and
# families and tasks are found by their files.
LATE = ("__init__.py", "cli/", "families/registry.py", "searchers/factory.py", "tasks/registry.py")


def test_our_own_modules_are_not_imported_late() -> None:
    """An import inside a function may hide a circle, and nobody looks for it there."""
    late = [
        f"{found.file} imports {found.module}"
        for found in ALL
        if not found.file.startswith(LATE)
        and ((found.deferred and found.target) or found.module == "importlib")
    ]
    assert not late, "\n".join(late)


def test_light_floors_need_the_base_install_only() -> None:
    wrong = []
    for found in ALL:
        package = found.module.partition(".")[0]
        if found.floor not in LIGHT or package in BASE or package in sys.stdlib_module_names:
            continue
        if not (found.deferred and package in DEFERRED.get(found.floor, ())):
            wrong.append(f"{found.file} imports {found.module}")
    assert not wrong, "\n".join(wrong)


def test_search_never_sees_a_model() -> None:
    # torch itself is allowed: a Gaussian process of a searcher is written in it.
    models = {"transformers", "onnx", "onnxruntime", "optimum"}
    without = {"searchers", "runs", "spaces", *GROUND, ""}
    seen = [
        f"{found.file} imports {found.module}"
        for found in ALL
        if found.floor == "searchers"
        and (found.module.partition(".")[0] in models or found.target not in without)
    ]
    assert not seen, "\n".join(seen)


BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Block())
"""


def python(source: str, *blocked: str) -> str:
    prelude = BLOCKED.format(blocked=set(blocked)) if blocked else ""
    done = subprocess.run(
        [sys.executable, "-c", prelude + source], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def modules_of(*floors: str) -> list[str]:
    files = [path.relative_to(PACKAGE.parent) for path in FILES]
    names = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in files]
    # A `__main__` runs when it is imported.
    return [
        name
        for name in names
        if name.split(".")[1:2] and name.split(".")[1] in floors and "__main__" not in name
    ]


def test_light_floors_load_without_the_search_extra() -> None:
    modules = modules_of(*LIGHT)
    assert "compresskit.families.bert" in modules
    absent = [package for package, extra in EXTRAS.items() if extra == "search"]
    python(f"import importlib\nfor name in {modules!r}: importlib.import_module(name)", *absent)


def test_commands_load_without_any_extra() -> None:
    python(
        f"import importlib\nfor name in {modules_of('cli')!r}: importlib.import_module(name)",
        *EXTRAS,
    )


HEAVY = ("torch", "transformers", "onnxruntime", "syne_tune", "pandas", "onnx", "numpy", "optimum")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help_is_light(arguments: list[str]) -> None:
    source = (
        "import json, sys\nfrom compresskit.cli.app import status\n"
        f"assert status({arguments!r}) == 0\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not set(json.loads(done.stderr)) & set(HEAVY)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_files_are_short_and_have_one_duty(path: Path) -> None:
    assert path.name not in ("utils.py", "helpers.py", "misc.py", "common.py")
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250
