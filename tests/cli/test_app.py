"""The program as a whole: what it lists, and how every failure ends."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated

import pytest
import typer

from compresskit import __version__
from compresskit.cli import app, output
from compresskit.errors import ConfigurationError, StoppedRun


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A command `trial` whose `main` a test sets."""
    module = ModuleType("compresskit.cli.trial")
    monkeypatch.setitem(sys.modules, "compresskit.cli.trial", module)
    monkeypatch.setitem(app.COMMANDS, "trial", "A trial.")
    monkeypatch.delenv("COMPRESSKIT_DEBUG", raising=False)
    return module


def raising(error: BaseException) -> object:
    def main() -> None:
        raise error

    return main


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.status(["--version"]) == 0
    assert capsys.readouterr().out == f"compresskit {__version__}\n"


def test_help_lists_every_command_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.status(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, line in app.COMMANDS.items():
        assert any(row.split() == [name, *line.split()] for row in shown.splitlines()), name


def test_every_command_has_its_file_and_every_file_its_command() -> None:
    files = {path.stem for path in Path(app.__file__).parent.glob("*.py")}
    shared = {path for path in files if path.startswith("_")} | {"app", "bars", "output", "options"}
    assert files - shared == set(app.COMMANDS)


@pytest.mark.parametrize("name", app.COMMANDS)
def test_each_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.status([name, "--help"]) == 0
    assert f"Usage: compresskit {name}" in capsys.readouterr().out


def test_no_arguments_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.status([]) == output.USAGE
    shown = capsys.readouterr()
    assert "Commands:" in shown.out + shown.err


@pytest.mark.parametrize("arguments", [["nope"], ["--nope"], ["bench", "--nope"]])
def test_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.status(arguments) == output.USAGE
    shown = capsys.readouterr()
    assert "nope" in shown.err
    assert not shown.out


def test_options_reach_the_command(command: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    def main(
        path: str, size: Annotated[int, typer.Option("--size")] = 1, as_json: output.JsonOption = False
    ) -> None:
        output.emit({"path": path, "size": size}, as_json, lambda: f"{path} {size}")

    command.main = main  # type: ignore[attr-defined]
    assert app.status(["trial", "x", "--size", "3", "--json"]) == 0
    assert capsys.readouterr().out == '{\n  "path": "x",\n  "size": 3\n}\n'
    assert app.status(["trial", "x"]) == 0
    assert capsys.readouterr().out == "x 1\n"


def test_a_command_may_have_commands(command: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    inner = typer.Typer()
    inner.command("list")(lambda: output.say("listed"))
    inner.command("show")(lambda: None)
    command.app = inner  # type: ignore[attr-defined]
    assert app.status(["trial", "list"]) == 0
    assert capsys.readouterr().err == "listed\n"


def test_our_errors_are_told_without_traceback(
    command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main = raising(ConfigurationError("threads 'x' is not a number."))  # type: ignore[attr-defined]
    assert app.status(["trial"]) == output.ERROR
    shown = capsys.readouterr()
    assert shown.err == "error: threads 'x' is not a number.\n"
    assert not shown.out


def test_failed_condition(command: ModuleType) -> None:
    command.main = raising(typer.Exit(output.CONDITION_FAILED))  # type: ignore[attr-defined]
    assert app.status(["trial"]) == 3


def test_interrupt(command: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    command.main = raising(KeyboardInterrupt())  # type: ignore[attr-defined]
    assert app.status(["trial"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_interrupt_where_work_is_kept_says_how_to_go_on(
    command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main = raising(StoppedRun("Go on with: this"))  # type: ignore[attr-defined]
    assert app.status(["trial"]) == 130
    assert capsys.readouterr().err == "error: interrupted. Go on with: this\n"


def test_unexpected_errors_hide_their_traceback(
    command: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command.main = raising(KeyError("lost"))  # type: ignore[attr-defined]
    assert app.status(["trial"]) == output.ERROR
    shown = capsys.readouterr().err
    assert "KeyError: 'lost'" in shown
    assert "COMPRESSKIT_DEBUG=1" in shown
    monkeypatch.setenv("COMPRESSKIT_DEBUG", "1")
    with pytest.raises(KeyError):
        app.status(["trial"])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), r"memory ran out: MemoryError\. .*--resume.*--batch-size"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB.\nMore"), "Tried to allocate 2 GiB"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x.bin"), "no space left on the device: .*x.bin"),
        (Exception("No space left on device (os error 28)"), "Free some space"),
    ],
)
def test_what_ran_out_is_named(
    command: ModuleType, capsys: pytest.CaptureFixture[str], error: Exception, words: str
) -> None:
    command.main = raising(error)  # type: ignore[attr-defined]
    assert app.status(["trial"]) == output.ERROR
    shown = capsys.readouterr().err
    assert re.search(words, shown)
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("syne_tune.optimizer", "compresskit[search]"),
        ("torch", "compresskit[search]"),
        ("onnxruntime", "compresskit[cpu]"),
    ],
)
def test_an_absent_package_names_its_extra(
    module: str, extra: str, command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = ModuleNotFoundError(f"No module named {module!r}", name=module)
    command.main = raising(absent)  # type: ignore[attr-defined]
    assert app.status(["trial"]) == output.ERROR
    assert f"pip install '{extra}'" in capsys.readouterr().err


def test_an_absent_package_of_no_extra_is_unexpected(
    command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main = raising(ModuleNotFoundError("No module named 'x'", name="x"))  # type: ignore[attr-defined]
    assert app.status(["trial"]) == output.ERROR
    assert "unexpected ModuleNotFoundError" in capsys.readouterr().err


def test_json_refuses_what_is_not_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        output.print_json({"latency_ms": float("nan")})
