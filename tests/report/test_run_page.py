"""The page of a run: self-contained, escaped, complete."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from compresskit.cli.app import status
from compresskit.errors import CompresskitError, ConfigurationError, RunError
from compresskit.report import write_report
from compresskit.report.markdown import run_markdown
from compresskit.report.view import load_view
from compresskit.runs import RunDirectory
from compresskit.runs.jsonl import append_record
from compresskit.runs.tested import OnTest, write_tested
from tests.report.runs import bench_result, write_run

_LOADING = {"src", "href", "srcset", "data", "action", "poster", "background", "xlink:href"}


class Page(HTMLParser):
    """Attributes that make a browser load something, ids, and the embedded data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.embedded = ""
        self._in_data = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._in_data = ("type", "application/json") in attrs
        for name, value in attrs:
            if name in _LOADING and not str(value).startswith(("data:", "#")):
                self.loads.append(str(value))
            if name == "id":
                self.ids.append(str(value))

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.embedded += data

    def handle_endtag(self, tag: str) -> None:
        self._in_data = False

    @property
    def data(self) -> Any:
        return json.loads(self.embedded)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run")


def test_time_spent_is_that_of_all_sessions(run: Path) -> None:
    assert "Time spent: dense 29 s, supernet 9 s." in write_report(run).read_text(encoding="utf-8")


def test_the_page_makes_no_requests(run: Path) -> None:
    (run / "bench.json").write_text(json.dumps(bench_result()))
    path = write_report(run)
    text = path.read_text()
    assert path == run / "report.html"
    assert Page(text).loads == []
    assert set(re.findall(r"https?:[^\"'\s<]*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|new Image|importScripts|import\(", text)
    assert "default-src 'none'" in text


def test_every_point_is_in_the_data_the_table_and_the_pictures(run: Path) -> None:
    page = Page(write_report(run).read_text())
    drawn = page.data["front"]
    assert [(item["idx"], item["x"], item["y"]) for item in drawn["points"]] == [
        (0, 4.0, 89.5),
        (1, 6.0, 89.9),
    ]
    assert drawn["points"][0]["ci"] == [3.95, 4.05]
    assert (drawn["dense"]["x"], drawn["dense"]["y"]) == (10.0, 90.0)
    assert [
        fact for fact in drawn["points"][0]["facts"] if fact[0] in ("speed-up over dense", "against dense")
    ] == [
        ["speed-up over dense", "2.50\N{MULTIPLICATION SIGN}"],
        ["against dense", "\N{MINUS SIGN}0.50 points"],
    ]
    assert drawn["chosen"] == 0
    assert len(drawn["trials"]) == 3
    pictures = {item["picture"] for item in (*drawn["points"], drawn["dense"])}
    assert pictures == {"layers-0", "layers-1", "layers-dense"} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_verdict_heads_the_page(run: Path) -> None:
    text = unescape(write_report(run).read_text()).replace("\N{NO-BREAK SPACE}", " ")
    assert (
        "Pruning helps on this device: 2.50\N{MULTIPLICATION SIGN} as fast, 0.5 points lost "
        "(95 % interval 0.0 to 1.0, 2,000 validation rows)." in text
    )


def test_what_is_not_to_be_trusted_and_test_figures_stand_on_the_page(run: Path) -> None:
    kept = RunDirectory.open(run).front()
    marked = replace(kept.points[0], marks=("others took <31> % of the time",))
    with RunDirectory.open(run, writable=True) as writable:
        writable.write_front(replace(kept, points=(marked, kept.points[1])))
    write_tested(run, OnTest(None, "", 0.91, (0.89, 0.93), 1821, "ONNX Runtime"))
    write_tested(run, OnTest(1, "int8", 0.9, (0.88, 0.92), 1821, "ONNX Runtime", 0.91, (-0.02, 0.001)))
    text = write_report(run).read_text()
    assert "Not decided: the machine was busy when this was measured." not in text  # point 1 has no marks
    assert "4.00 \N{DAGGER}" in text
    assert "\N{DAGGER} not to be trusted (0): others took &lt;31&gt; % of the time" in text
    facts = Page(text).data["front"]["points"][1]["facts"]
    assert ["test (int8)", "90.00"] in facts
    assert ["95 %, 1,821 test rows", "88.0\N{EN DASH}92.0"] in facts
    markdown = write_report(run, run.parent / "r.md").read_text()
    assert (
        "| 90.00 (88.0\N{EN DASH}92.0, int8) | \N{MINUS SIGN}1.00 (\N{MINUS SIGN}2.00 to 0.10) |" in markdown
    )
    assert "others took &lt;31> % of the time" in markdown


def test_curves_keep_the_last_record_of_a_step_and_forgive_a_cut_line(run: Path) -> None:
    curves = Page(write_report(run).read_text()).data["curves"]
    assert [(curve["kind"], curve["rows"]) for curve in curves] == [("loss", [[10, 0.7], [20, 0.3]])]


def test_predictions_are_compared_with_the_corrected_median(run: Path) -> None:
    predicted = Page(write_report(run).read_text()).data["predicted"]
    assert [pair[:2] for pair in predicted["pairs"]] == [[4.0, 4.0], [5.0, 4.0], [6.0, 4.0]]
    assert predicted["summary"] == "3 latencies; mean error 25.0 %, largest 50.0 %."


def test_search_latencies_are_compared_with_a_bench(run: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(json.dumps(bench_result()))
    page = Page(write_report(run, tmp_path / "r.html", bench=tmp_path / "other.json").read_text())
    found = [pair for pair in page.data["predicted"]["pairs"] if "bench" in pair[2]]
    assert found == [[10.0, 10.0, "dense, search against bench"], [4.0, 5.0, "point 0, search against bench"]]


def test_warnings_are_gathered_and_counted(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", status="searching", error="bad <graph>\nmore")
    nobody_chose_it = {"signature": "1x8", "precision": "fp32", "warnings": ["known to 2% only"]}
    append_record(run / "latencies.jsonl", {"key": "other", "median_ms": 1.0, **nobody_chose_it})
    text = write_report(run).read_text()
    assert "known to 2% only" not in text
    for warning in (
        "The run is not finished (status: searching)",
        "1 of 3 trials failed: bad &lt;graph&gt;<",
        "the clock is throttled (2 of 3 measurements)",
    ):
        assert warning in text


def test_notes_are_no_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run")
    warnings, _, notes = write_report(run).read_text().partition("<h2>Notes on model and data</h2>")
    assert "7 rows were dropped." in notes
    assert "7 rows were dropped." not in warnings
    assert "## Notes on model and data\n\n- 7 rows were dropped." in run_markdown(load_view(run))
    assert status(["report", str(run)]) == 0
    assert "7 rows" not in capsys.readouterr().err


def test_text_from_outside_is_escaped(tmp_path: Path) -> None:
    page = write_report(
        write_run(tmp_path / "run", model="</script><img src=x>", error="<img src=y>")
    ).read_text()
    assert Page(page).loads == []
    assert "img" not in Page(page).tags
    assert "A &lt;fast&gt; chip" in page


def test_a_run_without_a_front_still_has_a_page(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "run", {"model": "m", "dataset": "d", "profile": {"name": "p"}}):
        pass
    text = write_report(tmp_path / "run").read_text()
    assert "No verdict" in text and "The run has no front yet." in text


def test_markdown_and_png(run: Path, tmp_path: Path) -> None:
    text = write_report(run, tmp_path / "r.md").read_text()
    assert "| 0 | 4.00 | 3.95\N{EN DASH}4.05 | 2.50\N{MULTIPLICATION SIGN} | 89.50 |" in text
    assert text.startswith("# some/model on sst2\n\n**Pruning helps")
    pytest.importorskip("matplotlib")
    assert write_report(run, tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("output", "bench", "kind", "message"),
    [
        ("r.pdf", None, ConfigurationError, r"permitted: \.html, \.md, \.png"),
        ("absent/r.html", None, ConfigurationError, "does not exist"),
        ("r.html", "absent.json", RunError, "cannot read"),
        ("r.html", "run/trials.jsonl", RunError, "is damaged"),
        ("r.html", "run/run.json", RunError, "lists no engines"),
    ],
)
def test_bad_input(
    run: Path, tmp_path: Path, output: str, bench: str | None, kind: type[CompresskitError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        write_report(run, tmp_path / output, bench=tmp_path / bench if bench else None)


def test_no_run() -> None:
    with pytest.raises(RunError, match="is not a run"):
        write_report(Path("nowhere"))
