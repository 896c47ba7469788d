"""The documentation says what the program does: every command, option and profile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from compresskit.cli import app
from tests.commands_page import PAGE, commands, with_tables

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def sections() -> dict[str, str]:
    """Text below each heading of `docs/commands.md` that names a command."""
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    parts = re.split(r"^#+ `compresskit ([a-z ]+)`$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options(command: Any) -> set[str]:
    names = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return {name for name in names if name.startswith("--")}


@pytest.mark.parametrize("command", app.COMMANDS)
def test_commands_are_documented_as_they_are(command: str) -> None:
    found = commands(command)
    written = {name: text for name, text in sections().items() if name.split()[0] == command}
    assert set(written) == set(found)
    for name, each in found.items():
        text = written[name]
        missing = options(each) - set(OPTION.findall(text)) - {"--help"}
        assert not missing, f"{name}: not documented: {sorted(missing)}"
        in_tables = set(re.findall(r"^\| `(--[a-z-]+)", text, flags=re.MULTILINE))
        assert in_tables <= options(each), f"{name}: {sorted(in_tables - options(each))} do not exist"


def test_tables_of_options_are_those_of_the_commands() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_tables(text) == text, "write the tables again: python -m tests.commands_page"
    assert text.count("| option | meaning | default |") > len(app.COMMANDS)


def test_pages_use_commands_and_options_that_exist() -> None:
    known = {name: set().union(*map(options, commands(name).values())) | {"--help"} for name in app.COMMANDS}
    used = 0
    for page in (ROOT / "README.md", *DOCS.glob("*.md")):
        for block in re.findall(r"```(?:bash)?\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in re.findall(r"^compresskit .*(?:\\\n.*)*", block, re.MULTILINE):
                words = line.split("#")[0].split()
                assert set(OPTION.findall(line)) <= known[words[1]], f"{page.name}: {line}"
                used += 1
    assert used > 10


def test_every_profile_is_mentioned() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    profiles = sorted(path.stem for path in (ROOT / "profiles").glob("*.toml"))
    assert profiles
    assert not [name for name in profiles if f"`{name}`" not in text]


def test_readme_begins_with_the_two_commands() -> None:
    blocks = re.findall(r"```\w*\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    words = [line.split("#")[0].strip() for line in blocks[0].splitlines()]
    assert words[:2] == ["make demo", "make test"]


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md")):
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_benchmark_files_that_are_named_exist() -> None:
    named = set()
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md")):
        for path in re.findall(r"`(benchmarks/[\w./*-]+)`", page.read_text(encoding="utf-8")):
            assert any(ROOT.glob(path)), f"{page.name} names {path}"
            named.add(path)
    assert "benchmarks/front/front.md" in named
