"""The `compresskit` program: which commands there are, and how failures end.

Only the command that is called is imported, so that `--help` and `--version` stay quick.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from compresskit import __version__
from compresskit.cli.options import GroupedCommand
from compresskit.cli.output import ERROR, INTERRUPTED, complain
from compresskit.errors import CompresskitError, reason_of
from compresskit.exhausted import is_disk_full, is_out_of_memory

# Command -> its line in the listing. The module of the same name holds `main`, or, for a
# command with commands of its own, `app`.
COMMANDS = {
    "search": "Search a model for its fastest accurate architectures.",
    "pareto": "Show the front of a run, or its answer under a constraint.",
    "export": "Turn a point of a front into a pruned model and its engine.",
    "bench": "Measure engines side by side on a device.",
    "report": "Write a run as one self-contained HTML page.",
    "runs": "List, show, compare and shrink runs.",
    "agent": "Measure on this device for a search on another machine.",
    "profile": "List, show and detect device profiles.",
    "doctor": "Check packages, providers and what disturbs a measurement.",
    "demo": "Run search, export and bench on a small generated task.",
}

# Packages that may be absent -> the extra that brings them.
_SEARCH = (
    *("accelerate", "botorch", "datasets", "matplotlib", "onnxscript", "optimum", "pandas", "pyarrow"),
    *("requests", "safetensors", "scipy", "sklearn", "syne_tune", "torch", "transformers"),
)
EXTRAS = {**dict.fromkeys(_SEARCH, "search"), "onnxruntime": "cpu"}


class StoppedError(Exception):
    """Ctrl-C, under a name that the parsing library does not catch itself."""


class Root(TyperGroup):
    """Runs the command that was called."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise StoppedError(str(stop)) from None


def build(called: str | None) -> typer.Typer:
    """The program with the command `called` in full and the others as names to list."""
    app = typer.Typer(
        name="compresskit",
        cls=Root,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name, line in COMMANDS.items():
        if name != called:
            app.command(name, help=line)(_listed)
            continue
        module = import_module(f"compresskit.cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, short_help=line)
        else:
            app.command(name, short_help=line, cls=GroupedCommand)(module.main)
    return app


def status(arguments: Sequence[str]) -> int:
    """Run the program on `arguments` and return its exit status: 0, 1, 2, 3, 4 or 130."""
    called = next((word for word in _completed() or arguments if not word.startswith("-")), None)
    try:
        command = typer.main.get_command(build(called))
        command.main(args=list(arguments), prog_name="compresskit")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ERROR if end.code else 0
    except CompresskitError as error:
        complain(str(error))
        return ERROR
    except (KeyboardInterrupt, StoppedError) as stop:
        complain(f"interrupted. {stop}".strip())
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("COMPRESSKIT_DEBUG") == "1":
            raise
        complain(_absent(error) or _exhausted(error) or _unexpected(error))
        return ERROR
    return 0


def _completed() -> list[str]:
    """Words of the line that a shell asks to complete."""
    if "_COMPRESSKIT_COMPLETE" not in os.environ:
        return []
    return (os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")).split()[1:]


def run() -> NoReturn:
    """Entry point of the program."""
    stop_as_interrupt()
    sys.exit(status(sys.argv[1:]))


def stop_as_interrupt() -> None:
    """Have SIGTERM, and SIGHUP unless something ignores it, end a command as Ctrl-C does.

    Processes that it started are ended, what is temporary is removed, and what was computed is kept.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"compresskit {__version__}\n")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Make a transformer small and fast enough for the device it must run on."""


def _listed() -> None:
    raise AssertionError("a command that was not called has run")


def _absent(error: Exception) -> str | None:
    """Message for a package that an extra would have brought, else None."""
    package = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if package not in EXTRAS:
        return None
    extra = EXTRAS[package]
    other = ", or 'compresskit[gpu]' for an NVIDIA GPU" if extra == "cpu" else ""
    return f"this needs {package}, which is not installed: pip install 'compresskit[{extra}]'{other}."


def _exhausted(error: Exception) -> str | None:
    """Message for memory or disk space that ran out, in whatever words, else None."""
    again = "then run the same command again (with --resume for a search)"
    reason = reason_of(error)
    if is_disk_full(error):
        return f"no space left on the device: {reason}. Free some space, {again}."
    if is_out_of_memory(error):
        return (
            f"memory ran out: {reason}. Close other programs, {again}; or start again with a smaller "
            "--batch-size or --max-length."
        )
    return None


def _unexpected(error: Exception) -> str:
    return f"unexpected {type(error).__name__}: {error}\nSet COMPRESSKIT_DEBUG=1 to see where it came from."
