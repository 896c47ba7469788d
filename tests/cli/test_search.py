"""`search` on the command line: its configuration file, and options that do not go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compresskit.cli import app, output
from compresskit.pipeline import search as pipeline
from compresskit.pipeline.settings import SearchSettings


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[SearchSettings]:
    found: list[SearchSettings] = []

    def search(settings: SearchSettings, *_: Any, **options: Any) -> None:
        found.append(settings or options["changes"])
        raise KeyboardInterrupt  # enough is known

    monkeypatch.setattr(pipeline, "search", search)
    return found


def test_a_configuration_file_has_the_names_of_the_options(
    tmp_path: Path, asked: list[SearchSettings]
) -> None:
    config = tmp_path / "search.toml"
    config.write_text(
        'model = "m"\ndataset = "d"\nprofile = "cpu-1-thread"\nbudget = "30m"\nblock-counts = "2,4"\n'
        'text-column = ["question", "answer"]\nprecisions = "fp32,int8"\nimportance = "taylor"\n'
    )
    app.status(["search", "--output", str(tmp_path / "run"), "--config", str(config), "--seed", "3"])
    (settings,) = asked
    assert settings == SearchSettings(
        "m",
        "d",
        "cpu-1-thread",
        budget=1800.0,
        text_column=("question", "answer"),
        precisions=("fp32", "int8"),
        importance="taylor",
        seed=3,
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("output = 'run'", "sets output; give --output on the command line"),
        ("warm-start = 'run'", "sets warm-start; give --warm-start"),
        ("budget = '30'", "budget '30' is not a duration"),
        ("epoch = 3", "option 'epoch' is not known"),
    ],
)
def test_a_configuration_that_cannot_be(
    line: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "search.toml"
    config.write_text(f'model = "m"\ndataset = "d"\nprofile = "cpu-1-thread"\n{line}\n')
    status = app.status(["search", "--output", str(tmp_path / "run"), "--config", str(config)])
    assert status == output.ERROR
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_dry_run_is_of_a_new_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.status(["search", "--output", str(tmp_path / "run"), "--resume", "--dry-run"]) == output.ERROR
    assert "leave --resume out" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("option", [["--from", "other"], ["--force"], ["--warm-start", "other"]])
def test_a_resumed_search_goes_on_with_its_own(
    option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.status(["search", "--output", str(tmp_path / "run"), "--resume", *option]) == output.ERROR
    assert f"leave {option[0]} out" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("given", "asked_for"),
    [
        (["--trials", "90"], {"trials": 90, "budget": None}),
        (["--budget", "1h"], {"trials": None, "budget": "1h"}),
        (["--trials", "90", "--budget", "1h"], {"trials": 90, "budget": "1h"}),
        ([], {}),
    ],
)
def test_a_new_length_takes_the_place_of_the_old_one(
    given: list[str], asked_for: dict[str, Any], tmp_path: Path, asked: list[Any]
) -> None:
    app.status(["search", "--output", str(tmp_path / "run"), "--resume", *given])
    assert asked == [asked_for]
