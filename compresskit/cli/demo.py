"""`compresskit demo`: the whole job on a generated task, without downloads."""

from __future__ import annotations

from typing import Any

from compresskit.cli.options import command
from compresskit.cli.output import print_json, say
from compresskit.options.run import DemoOptions


def run(given: dict[str, Any], *, as_json: bool) -> None:
    """Make data and a small BERT, then search, export and bench, naming the command of each step."""
    from compresskit.pipeline.demo import demo

    asked = DemoOptions(**given)
    result = demo(asked.output, force=asked.force, say=say, tables=not as_json)
    if as_json:
        print_json(result)


main = command(DemoOptions, run)
