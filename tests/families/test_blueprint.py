"""Projections that no family has yet in all its kinds: fused, gated, grouped, without biases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compresskit.architecture import Architecture, Dimensions, Layer
from compresskit.families import blueprint_from_json
from compresskit.families.base import GATE, HEADS, KEY, QUERY, UNITS, UP, VALUE, Block, Family, ToldHeads
from compresskit.families.blueprint import Blueprint
from compresskit.kept import Kept
from compresskit.slicing import HEAD_IDS

HIDDEN, GROUPS, QUERIES, SIZE, WIDTH = 6, 2, 3, 2, 5
ARCHITECTURE = Architecture((Layer(Kept.of(GROUPS, [1]), Kept.of(WIDTH, [0, 3])),))


@pytest.fixture
def blueprint() -> Blueprint:
    """Two key/value groups of three queries each; keys and values are fused, and so are gate and up."""
    attention = Block({"q": (QUERY,), "kv": (KEY, VALUE)}, "o", ("q.", "kv.", "o."), {})
    feed_forward = Block({"wi": (UP, GATE)}, "wo", ("wi.", "wo."), {})
    shapes = {
        "layers.0.q.weight": (GROUPS * QUERIES * SIZE, HIDDEN),
        "layers.0.kv.weight": (2 * GROUPS * SIZE, HIDDEN),
        "layers.0.kv.bias": (2 * GROUPS * SIZE,),
        "layers.0.o.weight": (HIDDEN, GROUPS * QUERIES * SIZE),
        "layers.0.wi.weight": (2 * WIDTH, HIDDEN),
        "layers.0.wo.weight": (HIDDEN, WIDTH),
        "layers.0.norm.weight": (HIDDEN,),
    }
    dims = Dimensions(1, GROUPS, SIZE, WIDTH, HIDDEN)
    return Blueprint(Family("new", "layers", attention, feed_forward, ()), dims, shapes)


def test_members_are_read_from_shapes(blueprint: Blueprint) -> None:
    found = {each.module: (each.kind, each.reads, each.size) for each in blueprint.projections(0)}
    assert found == {
        "layers.0.q": (HEADS, True, QUERIES * SIZE),
        "layers.0.kv": (HEADS, True, SIZE),
        "layers.0.o": (HEADS, False, QUERIES * SIZE),
        "layers.0.wi": (UNITS, True, 1),
        "layers.0.wo": (UNITS, False, 1),
    }


def test_a_cut_takes_a_member_from_every_part(blueprint: Blueprint) -> None:
    cuts = blueprint.plan(ARCHITECTURE).cuts
    keep = {name: [None if k is None else k.tolist() for k in cut.keep] for name, cut in cuts.items()}
    assert keep["layers.0.q.weight"] == [[6, 7, 8, 9, 10, 11], None]
    assert keep["layers.0.kv.weight"] == [[2, 3, 6, 7], None]
    assert keep["layers.0.kv.bias"] == [[2, 3, 6, 7]]
    assert keep["layers.0.o.weight"] == [None, [6, 7, 8, 9, 10, 11]]
    assert keep["layers.0.wi.weight"] == [[0, 3, 5, 8], None]
    assert keep["layers.0.wo.weight"] == [None, [0, 3]]
    assert keep["layers.0.norm.weight"] == []


def test_modules_are_told_the_heads_that_they_have(blueprint: Blueprint) -> None:
    assert blueprint.plan(ARCHITECTURE).heads == {}
    told = replace(blueprint.family.attention, told=ToldHeads("core", width="width", shared=0))
    aware = replace(blueprint, family=replace(blueprint.family, attention=told))
    plan = aware.plan(ARCHITECTURE)
    assert list(plan.heads) == [f"layers.0.core.{HEAD_IDS}"]
    ids = {name: np.array([7, 3]) for name in plan.heads}  # in the order that they have in the super-network
    assert [own.tolist() for own in plan.own_heads(ids).values()] == [[3]]
    without = Architecture((Layer(Kept(GROUPS, 0), Kept.of(WIDTH, [0])),))
    assert aware.plan(without).heads == {}


def test_costs_come_from_shapes(blueprint: Blueprint) -> None:
    length = 7
    weights = (2 * QUERIES * SIZE + 2 * SIZE) * HIDDEN + 2 * 3 * HIDDEN
    products = 2 * length * QUERIES * SIZE
    assert blueprint.macs(ARCHITECTURE, length, batch=2) == 2 * length * (weights + products)
    assert blueprint.num_params(ARCHITECTURE) == weights + 2 * SIZE + HIDDEN


def test_runs_from_before_there_were_gates_are_read() -> None:
    sizes = {"num_layers": 2, "num_heads": 4, "head_size": 8, "num_units": 24, "hidden_size": 32}
    read = blueprint_from_json({"model_type": "bert", "dims": sizes, "shapes": {"classifier.bias": [3]}})
    assert (read.dims.head_weight, read.dims.unit_weight) == (4 * 32 * 8, 2 * 32)
    assert blueprint_from_json(read.to_json()) == read
