"""`compresskit profile`: the settings of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from compresskit.cli.options import command
from compresskit.cli.output import JsonOption, emit, say
from compresskit.options.device import DetectOptions, ShowOptions

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


def show(given: dict[str, Any], *, as_json: bool) -> None:
    """All settings of one profile."""
    from compresskit.target.detect import profile_toml
    from compresskit.target.profile import load_profile

    profile = load_profile(given["name"])
    emit(profile.to_json(), as_json, lambda: profile_toml(profile))


def detect(given: dict[str, Any], *, as_json: bool) -> None:
    """A profile for this device."""
    from compresskit.errors import ConfigurationError
    from compresskit.runs.atomic import write_atomic
    from compresskit.target.detect import detect_profile, profile_toml

    asked, profile = DetectOptions(**given), detect_profile()
    output = asked.output
    if output is None:
        emit(profile.to_json(), as_json, lambda: profile_toml(profile))
        return
    if output.exists() and not asked.force:
        raise ConfigurationError(f"{output} exists; give another --output, or --force to overwrite it.")
    write_atomic(output, profile_toml(profile))
    if as_json:
        emit(profile.to_json(), as_json, str)
    say(f"wrote {output}; measure with --profile {output}")


app.command("show")(command(ShowOptions, show))
app.command("detect")(command(DetectOptions, detect))


def _table(profiles: list[Profile]) -> Table:
    from compresskit.report.tables import fitted_table

    head = ["name", "provider", "threads", "batch", "length", "precision", "description"]
    rows = []
    for profile in profiles:
        numbers = (str(profile.threads or "all"), str(profile.batch), str(profile.length))
        rows.append([profile.name, profile.provider, *numbers, profile.precision, profile.description])
    return fitted_table(head, rows, loses=("batch", "length"), folds={"description": 24})
