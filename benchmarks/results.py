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


def write_results(
    folder: Path, name: str, results: Mapping[str, Any], table: Sequence[Sequence[str]], notes: str
) -> None:
    """Write `name`.json and `name`.md into `folder`; the first row of `table` is its head."""
    command = "python -m " + " ".join([_module(), *map(_without_folder, sys.argv[1:])])
    facts = host_facts()
    folder.mkdir(parents=True, exist_ok=True)
    value = without_folders({"command": command, "host": facts, **results})
    (folder / f"{name}.json").write_text(json.dumps(value, indent=2, default=str) + "\n")
    head, *rows = table
    lines = [
        f"# {name.replace('_', ' ')}",
        "",
        notes,
        "",
        f"Command: `{command}`. Processor: {facts.get('cpu') or facts.get('cpu_model') or 'unknown'}.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]
    (folder / f"{name}.md").write_text("\n".join(lines))
    sys.stdout.write("\n".join(lines))


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
