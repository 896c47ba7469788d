"""What is written of a machine beside its results."""

from __future__ import annotations

from benchmarks.results import without_folders


def test_a_host_keeps_no_name_and_no_path() -> None:
    host = {"name": "mine", "cpu": "A CPU", "system": "Linux 6.1.0-own-build"}
    value = {"host": host, "engine": {"name": "point-1", "path": "/home/me/engines/point-1"}}
    assert without_folders(value) == {
        "host": {"cpu": "A CPU", "system": "Linux 6.1"},
        "engine": {"name": "point-1", "path": "point-1"},
    }
