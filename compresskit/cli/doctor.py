"""`compresskit doctor`: what this machine can do, and what would spoil a measurement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from compresskit.cli.output import ERROR, JsonOption, emit, say

if TYPE_CHECKING:
    from rich.table import Table

    from compresskit.target.doctor import Check

_MARKS = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "fail": "[red]fail[/]"}


def main(as_json: JsonOption = False) -> None:
    """Check packages, providers and what disturbs a measurement. Exits with 1 when a check fails."""
    from compresskit.target.doctor import run_checks
    from compresskit.target.host import host_facts

    if not as_json:
        say("watching the machine for a moment")
    checks = run_checks()
    result = {"checks": [check.to_json() for check in checks], "host": host_facts()}
    emit(result, as_json, lambda: _table(checks))
    if any(check.status == "fail" for check in checks):
        raise typer.Exit(ERROR)


def _table(checks: list[Check]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("check", "", "found", "what to do")
    for check in checks:
        table.add_row(check.name, _MARKS[check.status], escape(check.detail), escape(check.remedy))
    return table
