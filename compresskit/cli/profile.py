"""`compresskit profile`: the settings of devices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compresskit.cli.output import JsonOption, emit, say

if TYPE_CHECKING:
    from rich.table import Table

    from compresskit.target.profile import Profile

app = typer.Typer(help="List, show and detect device profiles.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """The built-in profiles."""
    from compresskit.target.profile import list_profiles, load_profile

    profiles = [load_profile(name) for name in list_profiles()]
    emit([profile.to_json() for profile in profiles], as_json, lambda: _table(profiles))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A built-in profile or a TOML file.")],
    as_json: JsonOption = False,
) -> None:
    """All settings of one profile."""
    from compresskit.target.detect import profile_toml
    from compresskit.target.profile import load_profile

    profile = load_profile(name)
    emit(profile.to_json(), as_json, lambda: profile_toml(profile))


@app.command()
def detect(
    output: Annotated[
        Path | None, typer.Option("--output", help="TOML file to write; stdout by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """A profile for this device."""
    from compresskit.errors import ConfigurationError
    from compresskit.runs.atomic import write_atomic
    from compresskit.target.detect import detect_profile, profile_toml

    profile = detect_profile()
    if output is None:
        emit(profile.to_json(), as_json, lambda: profile_toml(profile))
        return
    if output.exists() and not force:
        raise ConfigurationError(f"{output} exists; give another --output, or --force to overwrite it.")
    write_atomic(output, profile_toml(profile))
    if as_json:
        emit(profile.to_json(), as_json, str)
    say(f"wrote {output}; measure with --profile {output}")


def _table(profiles: list[Profile]) -> Table:
    from compresskit.report.tables import fitted_table

    head = ["name", "provider", "threads", "batch", "length", "precision", "description"]
    rows = []
    for profile in profiles:
        numbers = (str(profile.threads or "all"), str(profile.batch), str(profile.length))
        rows.append([profile.name, profile.provider, *numbers, profile.precision, profile.description])
    return fitted_table(head, rows, loses=("batch", "length"), folds={"description": 24})
