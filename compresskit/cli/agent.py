"""`compresskit agent`: measure on this device for a search on another machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from compresskit.cli.options import command
from compresskit.cli.output import print_json, say
from compresskit.options.device import AgentOptions


def run(given: dict[str, Any], *, as_json: bool) -> None:
    """Measure on this device for a search on another machine, until interrupted.

    Point a profile at it with `address` and `token_file`; with --json both are printed once it listens.
    """
    from compresskit.target.agent.auth import default_token_file
    from compresskit.target.agent.limits import Limits
    from compresskit.target.agent.serve import serve

    asked = AgentOptions(**given)
    limits = replace(
        Limits.of_this_machine(), body_bytes=asked.body_limit << 20, job_seconds=asked.job_seconds
    )
    if asked.memory_limit is not None:
        limits = replace(limits, memory_bytes=asked.memory_limit << 20)
    token_file = asked.token_file or default_token_file()

    def announce(address: str) -> None:
        if as_json:
            print_json({"address": address, "token_file": str(token_file)})
        else:
            say(f"listening on {address}, token in {token_file}")

    serve(
        host=asked.host,
        port=asked.port,
        token_file=token_file,
        certfile=asked.certfile,
        keyfile=asked.keyfile,
        limits=limits,
        state=asked.state,
        say=announce,
    )


main = command(AgentOptions, run)
