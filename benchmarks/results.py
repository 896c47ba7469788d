"""Writing results: figures, the command that made them, and the machine, as JSON and Markdown."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from compresskit.target.host import host_facts

# The folders of an absolute path, be it the whole text or a word of a warning.
_FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^\s/:,]+/)*")
# What the build of a kernel is called, behind its version.
_BUILD = re.compile(r"^(Linux \d+\.\d+)\S*$")
_HOST_KEYS = {"name", "cpu", "system"}
Table = Sequence[Sequence[str]]  # the first row is the head


def write_results(
    folder: Path,
    name: str,
    results: Mapping[str, Any],
    table: Table,
    notes: str,
    more: Mapping[str, tuple[str, Table]] | None = None,
) -> None:
    """Write `name`.json and `name`.md into `folder`; `more`: notes and tables under further headings."""
    origin = origin_of_results()
    folder.mkdir(parents=True, exist_ok=True)
    value = without_folders({**origin, **results})
    (folder / f"{name}.json").write_text(to_lines(value) + "\n")
    lines = [
        f"# {name.replace('_', ' ')}",
        "",
        notes,
        "",
        origin_line(origin),
        "",
        *markdown(table),
    ]
    for heading, (text, rows) in (more or {}).items():
        lines += [f"## {heading}", "", text, "", *markdown(rows)]
    (folder / f"{name}.md").write_text("\n".join(lines))
    sys.stdout.write("\n".join(lines))


def origin_of_results() -> dict[str, Any]:
    """The command of this process, and the machine."""
    command = "python -m " + " ".join([_module(), *map(_without_folder, sys.argv[1:])])
    return {"command": command, "host": host_facts()}


def origin_line(origin: Mapping[str, Any]) -> str:
    host = origin["host"]
    processor = host.get("cpu") or host.get("cpu_model") or "unknown"
    return f"Command: `{origin['command']}`. Processor: {processor}."


def to_lines(value: Any, depth: int = 2) -> str:
    """JSON with one line for each value this deep: short, and still readable in a diff."""
    if depth and isinstance(value, Mapping) and value:
        items = [f"{json.dumps(str(key))}: {to_lines(item, depth - 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + "\n}"
    if depth and isinstance(value, (list, tuple)) and value and isinstance(value[0], (Mapping, list, tuple)):
        return "[\n" + ",\n".join(to_lines(item, 0) for item in value) + "\n]"
    return json.dumps(value, default=str)


def markdown(table: Table) -> list[str]:
    head, *rows = table
    body = ["| " + " | ".join(row) + " |" for row in rows]
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *body, ""]


def without_folders(value: Any) -> Any:
    """`value` with every absolute path cut to its last part, and hosts without names of their own."""
    if isinstance(value, Mapping):
        of_host = value.keys() >= _HOST_KEYS
        kept = {key: item for key, item in value.items() if not (of_host and key == "name")}
        return {_without_folder(str(key)): without_folders(item) for key, item in kept.items()}
    if isinstance(value, (list, tuple)):
        return [without_folders(item) for item in value]
    return _without_folder(value) if isinstance(value, str) else value


def _without_folder(text: str) -> str:
    return _BUILD.sub(r"\1", _FOLDERS.sub("", text))


def _module() -> str:
    spec = sys.modules["__main__"].__spec__
    return "benchmarks" if spec is None else spec.name.removesuffix(".__main__")
