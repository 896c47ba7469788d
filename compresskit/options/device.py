"""Options of commands about a device: its agent, its profiles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from compresskit.options.declare import Option


@dataclass(frozen=True, kw_only=True)
class AgentOptions:
    """All options of `compresskit agent`."""

    host: Annotated[str, Option("Address to listen on; any other than loopback needs TLS.")] = "127.0.0.1"
    port: Annotated[int, Option("Port; 0 selects a free one.", within=(0, 65535))] = 8472
    token_file: Annotated[
        Path | None, Option("File of the token that clients must send; created if missing.")
    ] = None
    certfile: Annotated[Path | None, Option("TLS certificate (PEM).")] = None
    keyfile: Annotated[Path | None, Option("Its private key (PEM).")] = None
    memory_limit: Annotated[
        int | None, Option("MiB for one graph.", default="half of the machine's memory", within=(256, None))
    ] = None
    body_limit: Annotated[int, Option("MiB of one upload.", within=(1, None))] = 1024
    job_seconds: Annotated[float, Option("Seconds after which a job is stopped.", within=(1, None))] = 300.0
    state: Annotated[Path | None, Option("Folder that keeps results across restarts.", default="none")] = None


@dataclass(frozen=True)
class ShowOptions:
    """All options of `compresskit profile show`."""

    name: Annotated[str, Option("A built-in profile or a TOML file.", flag="NAME")]


@dataclass(frozen=True)
class DetectOptions:
    """All options of `compresskit profile detect`."""

    output: Annotated[Path | None, Option("TOML file to write.", default="stdout")] = None
    force: Annotated[bool, Option("Overwrite the file.")] = False
