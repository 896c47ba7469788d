"""What a search has to do before it ends: as it begins, and where it was broken off."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from compresskit.display import SILENT
from compresskit.engine.variants import ONE_THREAD
from compresskit.families import Blueprint
from compresskit.pipeline.context import Context
from compresskit.pipeline.evaluation.slicers import EXPORT
from compresskit.pipeline.inputs import Inputs, read_inputs
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.plan import FRONT, SCORED, TRIALS, plan_of, seconds_a_look
from compresskit.pipeline.training.strategy import DENSE, SUPERNET, recipe_for, shared_recipe, strategy_for
from compresskit.pipeline.training.time_estimate import Work
from compresskit.runs import RunDirectory
from compresskit.supernet.surgery import blueprint_of_config
from compresskit.target.profile import Profile, load_profile
from compresskit.training.cost import mean_step_cost
from compresskit.training.progress import ORDER
from compresskit.training.strategies import Standard
from tests.pipeline.make import settings_for
from tests.pipeline.quick import FORMS


class Asked:
    """Plans of searches on one set of inputs."""

    def __init__(self, folder: Path) -> None:
        self.settings = settings_for(folder)
        self.inputs: Inputs = read_inputs(self.settings, load_profile(self.settings.profile), SILENT)
        config, kind = self.inputs.checkpoint.config, self.inputs.task.kind
        self.blueprint: Blueprint = blueprint_of_config(config, kind.hub_task)

    def plan(
        self, run: Path, settings: SearchSettings | None = None, *, dense: bool = True
    ) -> dict[str, Work]:
        settings = settings or self.settings
        rows, width = len(self.inputs.task.train), self.blueprint.dims.hidden_size
        recipes = {
            DENSE: recipe_for(settings, 2.0, 1e-4, width),
            SUPERNET: shared_recipe(settings, rows, width),
        }
        full = self.inputs.space.full
        tuning = Standard(full, full, lambda *_: full) if dense else None
        context = Context.of(RunDirectory.open(run), settings, self.inputs, SILENT, resume=True)
        return plan_of(context, recipes, tuning, self.blueprint)


@pytest.fixture(scope="module")
def asked(inputs: Path) -> Asked:
    return Asked(inputs)


@pytest.fixture
def new(asked: Asked, tmp_path: Path) -> Path:
    stored = {**asked.settings.to_json(), "profile": asked.inputs.profile.to_json()}
    with RunDirectory.create(tmp_path / "new", stored) as run:
        return run.path


def test_a_new_search_has_all_stages_before_it(asked: Asked, new: Path) -> None:
    plan = asked.plan(new)
    names = [f"training supernet-{part}" for part in range(1, 5)]
    assert [name for name in plan if name.startswith("training supernet")] in (names, ["training supernet"])
    others = [name for name in plan if not name.startswith("training supernet")]
    assert others == ["training dense", ORDER, SCORED, EXPORT, "choosing the fp32 graph form", TRIALS, FRONT]
    assert [name for name, work in plan.items() if work.trains] == ["training dense", *names]
    # A line of a log that holds "dense model:" tells its metric.
    assert not any("dense model" in name for name in plan)
    assert plan["choosing the fp32 graph form"].looks == len(FORMS) + len(ONE_THREAD) + 1


def test_parts_cost_what_one_super_network_does_less_what_the_teacher_has_said(
    asked: Asked, new: Path
) -> None:
    one = asked.plan(new, replace(asked.settings, parts=1))["training supernet"].full_steps
    parts = [
        work.full_steps
        for name, work in asked.plan(new, replace(asked.settings, parts=4)).items()
        if name.startswith("training supernet")
    ]
    assert len(parts) == 4
    recipe = shared_recipe(asked.settings, len(asked.inputs.task.train), asked.blueprint.dims.hidden_size)
    strategy = strategy_for(asked.settings, asked.inputs.space)
    whole = recipe.steps(len(asked.inputs.task.train)) * mean_step_cost(strategy, asked.blueprint)
    assert 0.6 * whole < one < 1.5 * whole
    assert sum(parts) > 0.6 * whole


def test_a_finished_run_has_its_trials_and_the_front_before_it(asked: Asked, run: Path) -> None:
    plan = asked.plan(run, dense=False)
    assert list(plan) == [EXPORT, TRIALS, FRONT]
    trials = RunDirectory.open(run).trials()
    assert plan[TRIALS].seconds == pytest.approx(sum(trial.seconds for trial in trials))


def test_what_was_broken_off_is_planned_again(asked: Asked, run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    shutil.copytree(run, broken)
    shutil.rmtree(broken / "supernet" / "model")
    (broken / "trials.jsonl").unlink()
    plan = asked.plan(broken, dense=False)
    assert [name for name in plan if not name.startswith("training supernet")] == [EXPORT, TRIALS, FRONT]
    assert plan[TRIALS].looks > 0
    timed = asked.plan(broken, replace(asked.settings, trials=None, budget=90.0), dense=False)
    assert timed[TRIALS] == Work(seconds=90.0)


def test_methods_train_within_their_trials(asked: Asked, new: Path) -> None:
    plan = asked.plan(new, replace(asked.settings, method="uniform", space="ranked"))
    assert not any(name.startswith("training supernet") for name in plan)
    untrained = asked.plan(new, replace(asked.settings, method="retraining-free", space="ranked"))
    assert plan[TRIALS].full_steps > untrained[TRIALS].full_steps + 1


def test_a_look_at_a_large_model_takes_longer_and_never_beyond_the_profile() -> None:
    profile = Profile("p", max_seconds=10.0)
    looks = [seconds_a_look(profile, macs, 10**6) for macs in (10**6, 10**10, 10**13)]
    assert looks == sorted(looks) and looks[0] < 2 and looks[2] <= 12
    assert seconds_a_look(profile, 10**6, 10**8) > looks[0] + 2
