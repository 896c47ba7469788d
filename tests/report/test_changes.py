"""What changed against the dense model, as a run's report shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from compresskit.cli.app import status
from compresskit.errors import ConfigurationError, RunError
from compresskit.report import write_report
from compresskit.runs.changes import CHANGES, EXAMPLES
from tests.report.runs import write_run

COUNTS = {
    "units": "questions",
    "of": 400,
    "right": "Right is <right>.",
    "kinds": [["right, now wrong", "worse"], ["wrong, now right", "better"], ["other", "other"]],
    "group": "class",
    "groups": [[f"class {i}", 10 + i, 0.9] for i in range(20)],
    "points": {
        "0": {"counts": [30, 10, 0], "f1": [0.9] * 19 + [0.4]},
        "1": {"counts": [0, 0, 0], "f1": [0.9] * 20},
    },
}
EXAMPLE = {
    "change": "right, now wrong",
    "input": "a <secret> question",
    "right": ["yes & no"],
    "dense": ["yes & no", "two"],
    "point": ["one", "two"],
}


def keep(run: Path, counts: Any = COUNTS, examples: Any = None) -> None:
    (run / CHANGES).write_text(json.dumps(counts))
    (run / EXAMPLES).write_text(json.dumps(examples or {"0": [EXAMPLE], "1": []}))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = write_run(tmp_path / "run")
    keep(path)
    return path


def test_changes_are_counted_for_each_point(run: Path) -> None:
    text = write_report(run).read_text()
    assert "400 validation questions" in text and "Right is &lt;right&gt;." in text
    counted = "<span>right, now wrong: 30</span> \N{MIDDLE DOT} <span>wrong, now right: 10</span></div>"
    assert f"<b>10.0 %</b> changed \N{MIDDLE DOT} {counted}" in text
    assert "<b>0.0 %</b> changed</div>" in text
    widths = re.findall(r'<i style="width:([\d.]+)%', text)
    assert widths == ["75.00", "25.00", "0.00", "0.00", "0.00", "0.00"]
    markdown = write_report(run, run / "r.md").read_text()
    assert "| point | of 400 questions | right, now wrong | wrong, now right | other |" in markdown
    assert "| 0 | 10.0 % | 30 | 10 | 0 |" in markdown


def test_the_group_that_loses_most_stands_first(run: Path) -> None:
    text = write_report(run).read_text()
    names = re.findall(r"<td>(class \d+)</td>", text)
    assert len(names) == 20 and names[:2] == ["class 19", "class 0"]
    assert "40.0 <small>\N{MINUS SIGN}50.0</small>" in text and "<summary>5 more</summary>" in text


def test_texts_are_shown_only_on_request(run: Path) -> None:
    assert "secret" not in write_report(run).read_text()
    assert "secret" not in write_report(run, run / "r.md").read_text()
    text = write_report(run, examples=True).read_text()
    assert (
        "a &lt;secret&gt; question" in text
        and "<dd><b>one</b><br>two</dd>" in text
        and "<dd><b>yes &amp; no</b><br>two</dd>" in text
    )
    assert '<details open><summary>Point 0</summary><div class="examples">' in text
    assert status(["report", str(run), "--examples", "--json"]) == 0
    assert "secret" in (run / "report.html").read_text()


def test_of_many_lines_those_that_differ_are_shown(run: Path) -> None:
    lines = [f"text {i}" for i in range(6)]
    keep(run, examples={"0": [{**EXAMPLE, "right": lines, "dense": lines, "point": [*lines[:5], "new"]}]})
    text = write_report(run, examples=True).read_text()
    assert "<dd>text 5<br><small>5 of 6 in both</small></dd>" in text
    assert f"<dt>right answer</dt><dd>{'<br>'.join(lines)}</dd>" in text
    assert "<dd>new<br><small>5 of 6 in both</small></dd>" in text


def test_examples_fit_pages_alone(run: Path) -> None:
    with pytest.raises(ConfigurationError, match="on a page alone"):
        write_report(run, run / "r.md", examples=True)


def test_a_run_of_before_has_a_report_without_changes(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    assert "What changed against" not in write_report(run).read_text()
    assert "What changed against" not in write_report(run, run / "r.md").read_text()
    with pytest.raises(RunError, match=r"has no examples\.json"):
        write_report(run, examples=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"of": "many"}, "of is 'many'"),
        ({"kinds": [["worse"]]}, "kinds is"),
        ({"points": {"0": {"counts": [1], "f1": []}}}, "a point has figures of other kinds"),
        ({"points": {"0": {"counts": [1]}}}, "'f1' is missing"),
    ],
)
def test_damaged_counts(run: Path, change: dict[str, Any], message: str) -> None:
    keep(run, {**COUNTS, **change})
    with pytest.raises(RunError, match=message):
        write_report(run)


@pytest.mark.parametrize("examples", [{"0": ["text"]}, {"0": [{**EXAMPLE, "dense": "text"}]}, {"0": [{}]}])
def test_damaged_examples(run: Path, examples: Any) -> None:
    keep(run, examples=examples)
    with pytest.raises(RunError, match=r"examples\.json is damaged"):
        write_report(run, examples=True)
