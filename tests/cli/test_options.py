"""Commands made of declared options: help in groups, and what was given on the command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, is_dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest

import compresskit
from compresskit.cli import app
from compresskit.cli.options import command
from compresskit.options.declare import Option, options_of
from compresskit.options.search import SearchCall, SearchOptions


@dataclass(frozen=True)
class Asked:
    run: Annotated[str | Path, Option("Folder.", flag="RUN")]
    _: KW_ONLY
    size: Annotated[int, Option("Size.", "Search", flag="--of")] = 2
    columns: Annotated[Sequence[str], Option("Columns.", "Data", repeats=True)] = ()
    names: Annotated[Sequence[str], Option("Names.", "Search")] = ("a", "b")
    budget: Annotated[float | str | None, Option("Time.", "Search", default="none")] = None
    teach: Annotated[bool, Option("Teach.", "Data")] = True
    dense: Annotated[bool, Option("Dense.", "Data")] = False


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a command `trial` was called with."""
    found: list[Any] = []

    def run(given: dict[str, Any], *, as_json: bool) -> None:
        """A trial."""
        found.append((given, as_json))

    monkeypatch.setitem(app.COMMANDS, "trial", "A trial.")
    monkeypatch.setattr(app, "import_module", lambda _: SimpleNamespace(main=command(Asked, run)))
    return found


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("", {}),
        ("--of 2", {"size": 2}),
        ("--columns a --columns b,c", {"columns": ["a", "b,c"]}),
        ("--names c,d --budget 30m", {"names": "c,d", "budget": "30m"}),
        ("--no-teach --dense", {"teach": False, "dense": True}),
    ],
)
def test_a_command_hears_what_was_given(words: str, given: dict[str, Any], asked: list[Any]) -> None:
    assert app.status(["trial", "x", *words.split(), "--json"]) == 0
    assert asked == [({"run": "x", **given}, True)]


def test_help_has_groups_types_and_defaults(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.status(["trial", "--help"]) == 0
    shown = capsys.readouterr().out
    groups = re.findall(r"^(\w[\w ]*):$", shown, re.MULTILINE)
    assert groups == ["Arguments", "Search", "Data", "Options"]
    search = shown.split("\nSearch:\n")[1].split("\nData:\n")[0]
    assert re.search(r"--of INTEGER +Size\.  \[default: 2\]", search)
    assert re.search(r"--names TEXT +Names\.  \[default: a,b\]", search)
    assert re.search(r"--budget (TEXT|NUMBER) +Time\.  \[default: none\]", search)


def test_the_options_of_a_search_are_in_seven_groups(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.status(["search", "--help"]) == 0
    shown = capsys.readouterr().out
    groups = re.findall(r"^([A-Z][\w ()]*):$", shown, re.MULTILINE)
    assert [group.split(" (")[0] for group in groups[:-1]] == [
        *("Data", "Device", "Budget", "Training", "Search", "Block pruning", "Run"),
    ]
    assert all(option.group for _, option in options_of(SearchCall).values())
    assert max(map(len, shown.splitlines())) <= 80


def test_options_of_all_commands_are_declared_and_used() -> None:
    """Nothing but --version, --json and --dry-run is written out, and whoever declares one reads it."""
    package = Path(compresskit.__file__).parent
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in package.rglob("*.py")}
    written = [
        path.name
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("typer.Option", "typer.Argument")
    ]
    assert sorted(written) == ["app.py", *["options.py"] * 2, "output.py", "search.py"]
    read = {word for path, tree in trees.items() if path.parent.name != "options" for word in names_in(tree)}
    for file in (package / "options").glob("*.py"):
        for declared in vars(import_module(f"compresskit.options.{file.stem}")).values():
            if is_dataclass(declared) and isinstance(declared, type):
                assert set(options_of(declared)) <= read, declared


def names_in(tree: ast.AST) -> Iterator[str]:
    """Of attributes, arguments, and strings that are names."""
    for node in ast.walk(tree):
        for name in ("attr", "arg", "value"):
            if isinstance(found := getattr(node, name, None), str):
                yield found


def test_a_mistyped_key_is_answered_with_the_nearest_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "search.toml"
    config.write_text("bach-size = 3\n")
    assert app.status(["search", "--output", str(tmp_path / "run"), "--config", str(config)]) == 1
    told = capsys.readouterr().err
    assert "Did you mean batch-size?" in told
    assert not [name for name in options_of(SearchOptions) if name.replace("_", "-") not in told]


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("compresskit pa", ["pareto"]),
        ("compresskit search --max", ["--max-drop", "--max-latency-ms", "--max-length"]),
        ("compresskit profile sh", ["show"]),
    ],
)
def test_shells_complete_commands_and_options(
    line: str, completed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_COMPRESSKIT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    assert app.status([]) == 0
    assert sorted(capsys.readouterr().out.split()) == completed


def test_completion_is_offered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.status(["--help"]) == 0
    assert "--show-completion" in capsys.readouterr().out
    monkeypatch.setenv("_COMPRESSKIT_COMPLETE", "source_bash")
    assert app.status([]) == 0
    assert "_COMPRESSKIT_COMPLETE=complete_bash" in capsys.readouterr().out
