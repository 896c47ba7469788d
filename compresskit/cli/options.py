"""Commands made of declared options: their names, types, defaults, help and groups."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from compresskit.cli.output import JsonOption
from compresskit.options.declare import Option, flag_of, kinds_of, options_of

GENERAL = "Options"
_METAVARS = {str: "TEXT", int: "INTEGER", float: "NUMBER"}


class GroupedCommand(TyperCommand):
    """Help as plain text, each group of options under its own heading."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            heading = getattr(parameter, "rich_help_panel", None) or GENERAL
            heading = "Arguments" if parameter.param_type_name == "argument" else heading
            if (record := parameter.get_help_record(ctx)) is not None:
                groups.setdefault(heading, []).append(record)
        for heading in sorted(groups, key=GENERAL.__eq__):  # what each command has comes last
            with formatter.section(heading):
                formatter.write_dl(groups[heading])


def command(declared: type, run: Callable[..., None], **more: tuple[Any, Any]) -> Callable[..., None]:
    """A function for typer with the options of `declared`, `--json` and `more` (type and default by name).

    `run` is called with a mapping of the options that were given on the command line, then with `as_json` and
    `more` by name.
    """
    added = {**more, "as_json": (JsonOption, False)}

    def main(context: typer.Context, **values: Any) -> None:
        given = {
            name: values[name]
            for name in options_of(declared)
            if getattr(context.get_parameter_source(name), "name", "DEFAULT") != "DEFAULT"
        }
        run(given, **{name: values[name] for name in added})

    main.__doc__ = run.__doc__
    defaults = inspect.signature(declared).parameters
    parameters = [_parameter("context", typer.Context, inspect.Parameter.empty)]
    groups = list(dict.fromkeys(option.group for _, option in options_of(declared).values()))
    options = sorted(options_of(declared).items(), key=lambda each: groups.index(each[1][1].group))
    for name, (kind, option) in options:
        parameters.append(_parameter(name, *_declaration(name, kind, option, defaults[name].default)))
    parameters += [_parameter(name, kind, default) for name, (kind, default) in added.items()]
    main.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    main.__annotations__ = {each.name: each.annotation for each in parameters}
    return main


def _parameter(name: str, kind: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)


def _declaration(name: str, annotation: Any, option: Option, default: Any) -> tuple[Any, Any]:
    """The annotation and the default that typer is given."""
    kinds, is_list = kinds_of(annotation)
    plain = str if len(kinds) > 1 or (is_list and not option.repeats) else kinds[0]
    kind: Any = list[plain] if is_list and option.repeats else plain  # type: ignore[valid-type]
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    if default in ("", None):
        kind, default = kind | None, None
    if option.flag and not option.flag.startswith("-"):
        return Annotated[kind, typer.Argument(help=option.help, metavar=option.flag)], default
    flag, in_words = flag_of(name, option), f"  [default: {option.default}]" if option.default else ""
    shown = typer.Option(
        f"{flag}/--no-{flag[2:]}" if default is True else flag,
        help=option.help + in_words,
        rich_help_panel=option.group,
        show_default=default is not None and default is not False,
        metavar="PATH" if Path in kinds else _METAVARS.get(plain),
        min=option.within[0],
        max=option.within[1],
    )
    return Annotated[kind, shown], default
