"""`compresskit demo`: the whole job on a generated task, without downloads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compresskit.cli.output import JsonOption, print_json, say


def main(
    output: Annotated[Path, typer.Option(help="New or empty folder for everything the demo makes.")] = Path(
        "demo"
    ),
    force: Annotated[bool, typer.Option("--force", help="Delete an earlier demo in --output.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make data and a small BERT, then search, export and bench, naming the command of each step."""
    from compresskit.pipeline.demo import demo

    result = demo(output, force=force, say=say, tables=not as_json)
    if as_json:
        print_json(result)
