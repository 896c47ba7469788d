"""SIGKILL at random moments of a search, resume: is anything lost or done twice?

python -m benchmarks.faults.resume [--kills 20] [--seed 0] [--output FOLDER]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.killed import TRIALS, Attempt, Snapshot, attempt, front_of, make_inputs, stage_of
from benchmarks.results import write_results

KILLS_A_RUN = 4
CLOSE = 1e-9  # metrics: of the same weights on the same rows


@dataclass
class Broken:
    """A search that was killed several times: when and where, and what was wrong with it in the end."""

    kills: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0


def kept(before: Snapshot, after: Snapshot) -> list[str]:
    """What is wrong with records that were `before` a resumption and are `after` it."""
    faults = []
    for name in ("trials", "latencies"):
        old, new = getattr(before, name), getattr(after, name)
        if new[: len(old)] != old:
            faults.append(f"{name}.jsonl: {len(old)} records before are no longer its first")
    return faults


def whole(snapshot: Snapshot, trials: int) -> list[str]:
    """What is wrong with the records of a search that has not ended, or has with all its `trials`."""
    faults = []
    if snapshot.trial_ids != list(range(len(snapshot.trials))):
        faults.append(f"trial ids are {snapshot.trial_ids}")
    # When all trials are done, points of the front are measured once more; before, nothing is.
    twice = [key for key, count in Counter(snapshot.measured_keys).items() if count > 1]
    if twice and len(snapshot.trials) < trials:
        faults.append(f"{len(twice)} latencies were measured twice")
    if any(key_count > 2 for key_count in Counter(snapshot.measured_keys).values()):
        faults.append("a latency was measured three times")
    return faults


def alike(run: Path, undisturbed: Path, trials: int) -> list[str]:
    """What sets the result of `run` apart from that of a search that nobody disturbed."""
    found, wanted = Snapshot.of(run), Snapshot.of(undisturbed)
    faults = whole(found, trials)
    if len(found.trials) != trials:
        faults.append(f"{len(found.trials)} trials; asked for {trials}")
    for ours, theirs in zip(map(json.loads, found.trials), map(json.loads, wanted.trials), strict=False):
        number = ours["trial_id"]
        if ours["architecture"] != theirs["architecture"] or ours["status"] != theirs["status"]:
            faults.append(f"trial {number} is another one")
        elif abs((ours["metric"] or 0.0) - (theirs["metric"] or 0.0)) > CLOSE:
            faults.append(f"trial {number} has metric {ours['metric']}; undisturbed {theirs['metric']}")
    faults += _front_faults(front_of(run), front_of(undisturbed))
    if json.loads((run / "run.json").read_bytes())["status"] != "completed":
        faults.append("the run is not completed")
    left = [path.name for path in run.rglob("*") if path.suffix in (".part", ".replaced")]
    if left:
        faults.append(f"left behind: {', '.join(left)}")
    return faults


def _front_faults(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Which points are on a front depends on latencies; what is on both has to have one metric."""
    metrics = {point["signature"]: point["metric"] for point in wanted["points"]}
    faults = [
        f"front: {point['signature']} has metric {point['metric']}, undisturbed {metrics[point['signature']]}"
        for point in found["points"]
        if abs(point["metric"] - metrics.get(point["signature"], point["metric"])) > CLOSE
    ]
    if not found["points"]:
        faults.append("the front has no point")
    if abs(found["dense"]["metric"] - wanted["dense"]["metric"]) > CLOSE:
        faults.append("the dense model has another metric")
    return faults


def break_off(
    inputs: Path, run: Path, undisturbed: Path, moments: Sequence[float], start_up: float, trials: int
) -> Broken:
    """A search that is killed at `moments`, seconds of an undisturbed one in ascending order.

    A resumed command first starts up: as long as that takes, `start_up` seconds, the search stands still.
    """
    broken = Broken()
    before, reached = Snapshot((), ()), 0.0
    for moment in moments:
        wait = moment - reached + (start_up if reached else 0.0)
        done = attempt(inputs, run, trials=trials, kill_after=wait)
        broken.seconds += done.seconds
        after = Snapshot.of(run)
        broken.kills.append(
            {"at_s": moment, "after_s": done.seconds, "stage": stage_of(done.said), "status": done.status}
        )
        broken.faults += [*kept(before, after), *whole(after, trials)]
        before, reached = after, moment
    done = attempt(inputs, run, trials=trials)
    broken.seconds += done.seconds
    if done.status != 0:
        broken.faults.append(f"resumed, it ended with status {done.status}: {done.said}")
        return broken
    broken.faults += [*kept(before, Snapshot.of(run)), *alike(run, undisturbed, trials)]
    return broken


def measure(folder: Path, kills: int, seed: int, trials: int = TRIALS, rows: int = 800) -> dict[str, Any]:
    """All of it in `folder`; the figures."""
    make_inputs(folder, rows)
    undisturbed = folder / "undisturbed"
    whole_run = attempt(folder, undisturbed, trials=trials)
    if whole_run.status != 0:
        raise SystemExit(f"the undisturbed search ended with {whole_run.status}: {whole_run.said}")
    moments = draw(kills, whole_run.seconds, random.Random(seed))
    groups = [moments[i : i + KILLS_A_RUN] for i in range(0, kills, KILLS_A_RUN)]
    broken = []
    for number, group in enumerate(groups):
        run = folder / f"run-{number}"
        broken.append(break_off(folder, run, undisturbed, group, whole_run.start_up, trials))
        said = "; ".join(broken[-1].faults) or "as undisturbed"
        sys.stderr.write(f"run {number}: killed in {_places(broken[-1])}: {said}\n")
        shutil.rmtree(run)
    return _result(broken, whole_run, trials)


def draw(kills: int, seconds: float, rng: random.Random) -> list[float]:
    """Moments in ascending order, one drawn uniformly from each of so many equal parts of `seconds`."""
    return [(place + rng.random()) * seconds / kills for place in range(kills)]


def _result(broken: Sequence[Broken], whole_run: Attempt, trials: int) -> dict[str, Any]:
    kills = [kill for each in broken for kill in each.kills]
    return {
        "undisturbed_s": whole_run.seconds,
        "start_up_s": whole_run.start_up,
        "trials": trials,
        "runs": len(broken),
        "kills": kills,
        "killed_before_its_end": sum(kill["status"] != 0 for kill in kills),
        "stages": dict(Counter(kill["stage"] for kill in kills)),
        "faults": [fault for each in broken for fault in each.faults],
        "seconds": sum(each.seconds for each in broken),
    }


def _places(broken: Broken) -> str:
    return ", ".join(f"{kill['stage']} ({kill['at_s']:.1f} s)" for kill in broken.kills)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), asked.kills, asked.seed)
    table = [["part of the search", "kills"], *([name, str(n)] for name, n in found["stages"].items())]
    table.append(["**records lost or repeated, results that differ**", f"**{len(found['faults'])}**"])
    notes = (
        f"A search of {found['trials']} trials (the demo's model and data, {found['undisturbed_s']:.0f} s "
        f"undisturbed, of them {found['start_up_s']:.0f} s of starting up) was killed {asked.kills} times by "
        f"SIGKILL in {found['runs']} runs, and resumed each time. The moments are drawn uniformly, one from "
        "each of as many equal parts of that time. After each kill all earlier records have to stand as they "
        "were, trial ids have to be contiguous and no latency measured twice; in the end architectures and "
        "metrics have to be those of the undisturbed search, and nothing temporary may be left."
    )
    write_results(asked.output, "resume", found, table, notes)
    sys.exit(1 if found["faults"] else 0)


if __name__ == "__main__":
    main()
