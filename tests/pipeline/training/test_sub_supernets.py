"""The parts of a finished run's super-network: where they are, what they cost, and what is cut from which."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compresskit.architecture import Architecture, Dimensions
from compresskit.display import SILENT
from compresskit.pipeline.evaluation.slicers import PartedSlicer, slicer_of
from compresskit.pipeline.export import export
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.store.reuse import stored_settings
from compresskit.pipeline.store.shared_weights import folder_for, informed_by_parts, load_shared
from compresskit.pipeline.training.models import load_model, open_checkpoint
from compresskit.pipeline.training.strategy import strategy_for
from compresskit.pipeline.training.sub_supernets import PartsTraining
from compresskit.pruning.extract import extract
from compresskit.pruning.reload import load_pruned
from compresskit.runs import RunDirectory
from compresskit.spaces import RankedSpace, make_space
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.sub_supernets import PARTS, PartedNetwork
from compresskit.training.cost import mean_step_cost
from compresskit.training.recipe import Recipe
from compresskit.training.stages import Stage


@pytest.fixture(scope="module")
def network(run: Path) -> PartedNetwork:
    found = load_shared(run / "supernet" / "model")
    assert isinstance(found, PartedNetwork)
    return found


def smallest(network: SuperNetwork) -> Architecture:
    return Architecture.uniform(network.blueprint.dims, range(3), 1, 8)


def test_each_part_has_learnt_weights_and_an_order_of_its_own(run: Path, network: PartedNetwork) -> None:
    assert len(network.models) == PARTS
    weights = [model.get_parameter("bert.encoder.layer.0.output.dense.weight") for model in network.models]
    assert all(not torch.equal(weights[0], other) for other in weights[1:])
    space = make_space("ranked", network.blueprint.dims, unit_multiple=8)
    parted = informed_by_parts(space, run / "supernet" / "model")
    assert isinstance(parted, RankedSpace)
    assert [below for below, _ in parted.smaller] == list(network.least[:-1])
    left = {path.name for path in (run / "supernet").iterdir() if path.is_dir()}
    assert left - {"points"} == {"dense_model", "model"}  # an export may have trained points


def test_parts_cost_what_one_would(run: Path, network: PartedNetwork) -> None:
    opened = RunDirectory.open(run)
    settings = stored_settings(opened, {}, (), "a test")
    task = read_task(settings, open_checkpoint(settings.model))
    space = make_space("ranked", network.blueprint.dims, unit_multiple=8)
    steps = round(settings.epochs_for(len(task.train)) * -(-len(task.train) // settings.batch_size))
    wanted = steps * mean_step_cost(strategy_for(settings, space), network.blueprint)
    costs = opened.info["full_steps"]
    assert {name for name in costs if name != "dense"} == {
        *(f"supernet-{place}" for place in range(1, PARTS + 1)),
        *(f"order-{place}" for place in range(2, PARTS + 1)),
    }
    assert sum(cost for name, cost in costs.items() if name != "dense") == pytest.approx(wanted, abs=4)


def test_large_parts_train_gently_and_each_sees_other_rows_first(
    run: Path, network: PartedNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = stored_settings(RunDirectory.open(run), {}, (), "a test")
    task = read_task(settings, open_checkpoint(settings.model))
    recipes: list[Recipe] = []
    monkeypatch.setattr(
        "compresskit.pipeline.training.sub_supernets.train_supernet",
        lambda network, stage, recipe, *_, **__: recipes.append(recipe),
    )
    stage = Stage(task, tmp_path)
    whole = Recipe(epochs=2, learning_rate=1e-3, seed=5)
    training = PartsTraining(tmp_path / "model", settings, stage, whole, lambda _: None, lambda *_: None)
    training.run(network.model, make_space("ranked", network.blueprint.dims, unit_multiple=8), PARTS)
    rates = [recipe.learning_rate for recipe in recipes]
    assert rates[0] == pytest.approx(2.5e-4)
    assert rates[0] < rates[1] < rates[2] == rates[3] == 1e-3
    assert [recipe.seed for recipe in recipes] == [5, 6, 7, 8]
    assert recipes[0].epochs < recipes[3].epochs


def test_what_is_exported_is_a_slice_of_the_part_that_was_scored(run: Path, tmp_path: Path) -> None:
    model, opened = run / "supernet" / "model", RunDirectory.open(run)
    places: dict[Path, tuple[int, Architecture]] = {}
    for record in opened.trials():
        architecture = record.candidate.architecture
        folder = folder_for(model, architecture, network_dims(run))
        places.setdefault(folder, (record.trial_id, architecture))
    assert len(places) > 1
    for folder, (trial_id, architecture) in places.items():
        export(run, tmp_path / str(trial_id), trial=trial_id)
        exported = load_pruned(tmp_path / str(trial_id)).state_dict()
        wanted = extract(load_model(folder), architecture).state_dict()
        assert all(torch.equal(exported[name], value) for name, value in wanted.items())


def test_graphs_of_other_precisions_are_cut_from_the_part_of_their_size(network: PartedNetwork) -> None:
    assert type(slicer_of(network, ["fp32"], SILENT)).__name__ == "GraphSlicer"
    slicer = slicer_of(network, ["fp32", "int8"], SILENT)
    assert isinstance(slicer, PartedSlicer)
    architecture = smallest(network)
    place = network.place_of(architecture)
    assert place > 0
    cut, other = (
        made.slice(architecture)
        for made in (slicer, slicer_of(SuperNetwork(network.models[0]), ["fp32"], SILENT))
    )
    wanted = slicer_of(SuperNetwork(network.models[place]), ["fp32"], SILENT).slice(architecture)
    assert cut.graph.initializer == wanted.graph.initializer
    assert cut.graph.initializer != other.graph.initializer
    assert slicer.slice_light(architecture).size_bytes > 0
    assert slicer.slice(network.full).graph.initializer != cut.graph.initializer


def network_dims(run: Path) -> Dimensions:
    return SuperNetwork(load_model(run / "supernet" / "dense_model")).blueprint.dims


def test_weights_in_one_are_read_as_such(run: Path) -> None:
    dense = run / "supernet" / "dense_model"
    found = load_shared(dense)
    assert not isinstance(found, PartedNetwork)
    assert folder_for(dense, smallest(found), found.blueprint.dims) == dense
    space = make_space("ranked", found.blueprint.dims, unit_multiple=8)
    assert informed_by_parts(space, dense) is space
