"""The tables of options in docs/commands.md: `python -m tests.commands_page` writes them again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer

from compresskit.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
BEGIN, END = "<!-- options -->", "<!-- end of options -->"
DEFAULT = re.compile(r"\s*\[default: (.*)\]$")


def commands(name: str) -> dict[str, Any]:
    """The command `name` and those below it by full name, e.g. "profile show"."""
    command = typer.main.get_command(app.build(name)).commands[name]  # type: ignore[attr-defined]
    inner = getattr(command, "commands", {})
    return {name: command, **{f"{name} {each}": inner[each] for each in inner}}


def table(command: Any) -> str:
    """Arguments and options of a command as Markdown; groups as rows in bold."""
    lines, rows, group = [], [], None
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            lines += [f"`{parameter.metavar or parameter.name.upper()}`: {_cell(parameter.help)}", ""]
            continue
        heading = getattr(parameter, "rich_help_panel", None)
        if heading and heading != group:
            group = heading
            rows.append(f"| **{heading}** | | |")
        rows.append(_row(parameter))
    if rows:
        lines += ["| option | meaning | default |", "|---|---|---|", *rows]
    return "\n".join(lines).strip()


def _row(option: Any) -> str:
    names = " / ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    said = DEFAULT.search(option.help)
    default = option.default
    shown = "required" if option.required else ""
    if said:
        shown = said[1]
    elif option.secondary_opts:
        shown = f"`{(option.opts if default else option.secondary_opts)[0]}`"
    elif default is not None and default is not False and default != []:
        shown = f"`{default}`"
    return f"| {names} | {_cell(DEFAULT.sub('', option.help))} | {shown} |"


def _cell(text: str) -> str:
    return re.sub(r"docs/([a-z-]+)\.md", r"[\1](\1.md)", text).replace("|", "\\|")


def with_tables(text: str) -> str:
    """The page `text` with the tables as they ought to be."""
    found = {name: each for command in app.COMMANDS for name, each in commands(command).items()}

    def written(match: re.Match[str]) -> str:
        return f"{match[1]}{BEGIN}\n{table(found[match[2]])}\n{END}"

    pattern = rf"(^#+ `compresskit ([a-z ]+)`$(?:(?!^#).)*?){BEGIN}.*?{END}"
    return re.sub(pattern, written, text, flags=re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
