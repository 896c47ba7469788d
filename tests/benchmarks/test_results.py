"""What is written of a machine beside its results."""

from __future__ import annotations

import json

from benchmarks.results import to_lines, without_folders


def test_a_host_keeps_no_name_and_no_path() -> None:
    host = {"name": "mine", "cpu": "A CPU", "system": "Linux 6.1.0-own-build"}
    value = {"host": host, "engine": {"name": "point-1", "path": "/home/me/engines/point-1"}}
    assert without_folders(value) == {
        "host": {"cpu": "A CPU", "system": "Linux 6.1"},
        "engine": {"name": "point-1", "path": "point-1"},
    }


def test_json_has_a_line_for_each_cell() -> None:
    value = {"cells": {"a": {"x": [1, 2], "y": {"z": 0.5}}, "b": {}}, "points": [{"k": 1}], "none": {}}
    text = to_lines(value)
    assert json.loads(text) == value
    assert text.splitlines() == [
        "{",
        '"cells": {',
        '"a": {"x": [1, 2], "y": {"z": 0.5}},',
        '"b": {}',
        "},",
        '"points": [',
        '{"k": 1}',
        "],",
        '"none": {}',
        "}",
    ]
