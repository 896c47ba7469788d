"""Old releases of ONNX Runtime: every form of graph is right there, or refused with the version it needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.runtimes.__main__ import FAILED, RIGHT, WRONG, measure, table, verdict
from compresskit.bundle.runtime import parse_version

VERSIONS = ("1.18.1", "1.20.1", "1.21.1", "1.23.2", "1.31.1")
EXPECTED = {
    "pytorch": [[1.0, -1.0], [0.5, 0.0]],
    "one": [[1.01, -1.0], [0.5, 0.0]],
    "four": [[1.02, -1.0], [0.5, 0.0]],
}


@pytest.mark.network
@pytest.mark.slow
def test_every_form_is_right_or_refused(tmp_path: Path) -> None:
    found = measure(VERSIONS, tmp_path, ("small",))
    assert len(found) == 40
    for name, by_version in found.items():
        for version, ways in by_version.items():
            outcome, bare = ways["loader"], ways["bare"]
            if outcome != RIGHT:
                assert outcome.startswith("refused ("), (name, version, outcome)
                needed = parse_version(outcome)
                assert needed > parse_version(version)
            if bare != RIGHT:
                assert outcome != RIGHT, (name, version)
    assert {each["1.31.1"]["loader"] for each in found.values()} == {RIGHT}
    attention = found["small,first-token-multi-head,fp32"]
    assert [attention[version]["bare"] for version in VERSIONS] == [
        FAILED,
        f"{WRONG} for four",
        RIGHT,
        RIGHT,
        RIGHT,
    ]
    plain = {way for name, each in found.items() if ",plain," in name for way in each["1.18.1"].values()}
    assert plain == {RIGHT}


def test_verdicts() -> None:
    right = {"one": EXPECTED["pytorch"], "four": EXPECTED["pytorch"]}
    assert verdict(right, EXPECTED, "fp32") == RIGHT
    assert verdict({**right, "four": [[1.0, -0.999], [0.5, 0.0]]}, EXPECTED, "fp32") == "wrong for four"
    assert verdict({**right, "one": [[np.nan, -1.0], [0.5, 0.0]]}, EXPECTED, "int8") == "wrong for one"
    assert verdict({"one": EXPECTED["one"], "four": EXPECTED["four"]}, EXPECTED, "int8") == RIGHT
    assert verdict({"failed": "no kernel"}, EXPECTED, "fp32") == FAILED
    said = "engine e needs onnxruntime 1.21.1 or later, this is 1.20.1"
    assert verdict({"refused": said}, EXPECTED, "fp32") == "refused (1.21.1)"


def test_the_table_tells_the_worst_of_all_shapes() -> None:
    found = {
        "small,plain,fp32": {"1.20.1": {"loader": RIGHT, "bare": RIGHT}},
        "MiniLM,plain,fp32": {"1.20.1": {"loader": "refused (1.21.1)", "bare": "wrong for four"}},
    }
    assert table(found, ["1.20.1"]) == [
        ["form", "precision", "1.20.1"],
        ["plain", "fp32", "refused (1.21.1), right; else right, wrong for four"],
    ]
    del found["MiniLM,plain,fp32"]
    assert table(found, ["1.20.1"])[1:] == [["plain", "fp32", RIGHT]]
