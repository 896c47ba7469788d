"""Writing reports; the ending of a file's name says its format."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from compresskit.errors import ConfigurationError
from compresskit.report.bench_page import bench_html
from compresskit.report.markdown import bench_markdown, run_markdown
from compresskit.report.png import write_png
from compresskit.report.run_page import run_html
from compresskit.report.view import RunView, load_view
from compresskit.runs import write_atomic

RUN_FORMATS = (".html", ".md", ".png")
BENCH_FORMATS = (".html", ".md", ".json")


def write_report(
    run_dir: Path | str,
    output: Path | str | None = None,
    *,
    bench: Path | str | None = None,
    examples: bool = False,
) -> Path:
    """Write the report of a run and return its path (default RUN/report.html).

    `bench` is a JSON result of `compresskit bench`; RUN/bench.json is shown where it exists. `examples` shows
    texts of validation rows, in .html alone.
    Raises RunError when the run, the bench file or the texts are missing or damaged, or the file cannot be
    written, ConfigurationError for another ending than .html, .md or .png.
    """
    return write_run(load_view(run_dir, bench, examples=examples), output)


def write_run(view: RunView, output: Path | str | None = None) -> Path:
    """As `write_report`, of a run that has been read."""
    path = Path(output) if output is not None else view.path / "report.html"
    check_format(path, RUN_FORMATS)
    if view.examples is not None and path.suffix != ".html":
        raise ConfigurationError(
            f"--examples are shown on a page alone, not in {str(path)!r}; name an .html file, or omit them."
        )
    if path.suffix == ".png":
        write_png(view, path)
    else:
        write_atomic(path, run_markdown(view) if path.suffix == ".md" else run_html(view))
    return path


def write_bench(result: Mapping[str, Any], path: Path | str) -> None:
    """Write a result of `compresskit bench` as page, Markdown or JSON. Raises as `write_report` does."""
    path = Path(path)
    check_format(path, BENCH_FORMATS)
    render: dict[str, Callable[[Mapping[str, Any]], str]] = {
        ".html": bench_html,
        ".md": bench_markdown,
        ".json": lambda value: json.dumps(value, indent=1, allow_nan=False) + "\n",
    }
    write_atomic(path, render[path.suffix](result))


def check_format(path: Path, permitted: tuple[str, ...]) -> None:
    """Raises ConfigurationError unless the name of `path` ends in one of `permitted`."""
    if path.suffix not in permitted:
        raise ConfigurationError(f"{str(path)!r} does not name a format; permitted: {', '.join(permitted)}.")
    if not path.absolute().parent.is_dir():
        raise ConfigurationError(f"the folder of {str(path)!r} does not exist; create it first.")
