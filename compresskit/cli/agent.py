"""`compresskit agent`: measure on this device for a search on another machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from compresskit.cli.output import JsonOption, print_json, say
from compresskit.target.agent.protocol import DEFAULT_PORT


def main(
    host: Annotated[
        str, typer.Option(help="Address to listen on; any other than loopback needs TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 selects a free one.")] = DEFAULT_PORT,
    token_file: Annotated[
        Path | None, typer.Option(help="File of the token that clients must send; created if missing.")
    ] = None,
    certfile: Annotated[Path | None, typer.Option(help="TLS certificate (PEM).")] = None,
    keyfile: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    memory_limit: Annotated[
        int | None, typer.Option(min=256, help="MiB for one graph; by default half of the machine's memory.")
    ] = None,
    body_limit: Annotated[int, typer.Option(min=1, help="MiB of one upload.")] = 1024,
    job_seconds: Annotated[float, typer.Option(min=1, help="Seconds after which a job is stopped.")] = 300.0,
    state: Annotated[
        Path | None, typer.Option(help="Folder that keeps results across restarts; none by default.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure on this device for a search on another machine, until interrupted.

    Point a profile at it with `address` and `token_file`; with --json both are printed once it listens.
    """
    from compresskit.target.agent.auth import default_token_file
    from compresskit.target.agent.limits import Limits
    from compresskit.target.agent.serve import serve

    limits = replace(Limits.of_this_machine(), body_bytes=body_limit << 20, job_seconds=job_seconds)
    if memory_limit is not None:
        limits = replace(limits, memory_bytes=memory_limit << 20)
    token_file = token_file or default_token_file()

    def announce(address: str) -> None:
        if as_json:
            print_json({"address": address, "token_file": str(token_file)})
        else:
            say(f"listening on {address}, token in {token_file}")

    serve(
        host=host,
        port=port,
        token_file=token_file,
        certfile=certfile,
        keyfile=keyfile,
        limits=limits,
        state=state,
        say=announce,
    )
