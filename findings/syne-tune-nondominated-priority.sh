#!/bin/bash
# syne-tune 0.16.0: the default priority of its multi-objective schedulers orders trials no better than chance.
#
# A good guess: MultiObjectiveRegularizedEvolution and MOASHA, whose default is a non-dominated sort, prefer a trial
# that is better in every objective. NonDominatedPriority is documented to give a number for each element, lower ones
# first.
# What happens: it returns the sorted positions (which element is first, which second) where the number of each element
# is asked for. The two differ as soon as the order is more than a swap: of costs (2, 2), (3, 3), (1, 1) the second, the
# worst, is said to be first. Of ten random points 46 % of the pairs in which one is better in both costs are in the
# wrong order. The evolution therefore takes dominated parents, and finds a smaller area than with the number of each
# point's front as its priority. LinearScalarizationPriority and a MOPriority of one's own are right.
#
# Source: priority_unsafe in optimizer/schedulers/multiobjective/multiobjective_priority.py, which hands on what
# nondominated_sort returns; found by comparing searchers on equal trials.
# Exits with an error when that changes. Needs Python 3.10 to 3.12 as python3 (or PYTHON=...), and PyPI.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check syne-tune==0.16.0 numpy==2.4.6

cat > "$work/check.py" <<'PY'
import inspect
import sys

import numpy as np
from syne_tune.config_space import uniform
from syne_tune.optimizer.schedulers.multiobjective import MultiObjectiveRegularizedEvolution
from syne_tune.optimizer.schedulers.multiobjective.moasha import MOASHA
from syne_tune.optimizer.schedulers.multiobjective.multiobjective_priority import MOPriority, NonDominatedPriority
from syne_tune.optimizer.schedulers.multiobjective.non_dominated_priority import nondominated_sort
from importlib.metadata import version

print(f"syne-tune {version('syne-tune')}, numpy {np.__version__}")
chain = np.array([[2.0, 2.0], [3.0, 3.0], [1.0, 1.0]])
said = NonDominatedPriority()(chain)
print(f"costs {chain.tolist()}, the third is the best, the second the worst")
print(f"    priorities {said.tolist()} (lower is picked first); a rank would be [1, 2, 0]")


def fronts(costs):
    """The number of each row's front, from 0."""
    found = np.empty(len(costs), dtype=int)
    for number, rows in enumerate(nondominated_sort(costs, dim=0, flatten=False)):
        found[rows] = number
    return found


class ByFront(MOPriority):
    def priority_unsafe(self, objectives):
        return fronts(objectives)


def wrong(priority):
    """Share of pairs in which one is better in both costs, and the other has the lower priority number."""
    generator, pairs, bad = np.random.default_rng(0), 0, 0
    for _ in range(300):
        costs = generator.random((10, 2))
        order = priority(costs)
        dominates = (costs[:, None] < costs[None]).all(-1)
        pairs += dominates.sum()
        bad += (dominates & (order[:, None] > order[None])).sum()
    return bad / pairs


shares = {type(each).__name__: wrong(each) for each in (NonDominatedPriority(), ByFront())}
for name, share in shares.items():
    print(f"{name}: {100 * share:.0f} % of the pairs with a clear winner are in the wrong order")


def area(priority, seed):
    """Area that 150 trials of the evolution dominate, of costs that fall to 0."""
    names = [f"x{i}" for i in range(6)]
    searcher = MultiObjectiveRegularizedEvolution(
        {name: uniform(0, 1) for name in names}, population_size=20, sample_size=5,
        multiobjective_priority=priority, random_seed=seed,
    )
    found = []
    for trial in range(150):
        config = searcher.suggest()
        x = np.array([config[name] for name in names])
        costs = [float(np.mean((x - 0.2) ** 2)), float(np.mean((x - 0.7) ** 2))]
        found.append(costs)
        searcher.on_trial_complete(trial, config, costs)
    points, total, edge = sorted(found), 0.0, 0.4
    for first, second in points:
        if second < edge and first < 0.4:
            total += (0.4 - first) * (edge - second)
            edge = second
    return total


areas = {
    name: np.array([area(make(), seed) for seed in range(20)])
    for name, make in (("default", lambda: None), ("by front", ByFront))
}
for name, values in areas.items():
    print(f"regularized evolution, priority {name}: area {values.mean():.4f} (20 seeds, {values.std() / 20**0.5:.4f})")
same_default = all(
    "multiobjective_priority: " in str(inspect.signature(each)) and "None" in str(inspect.signature(each))
    for each in (MOASHA.__init__, MultiObjectiveRegularizedEvolution.__init__)
)
as_described = (
    said.tolist() == [2, 0, 1]
    and shares["NonDominatedPriority"] > 0.3
    and shares["ByFront"] == 0
    and areas["by front"].mean() > areas["default"].mean()
    and same_default
)
sys.exit(0 if as_described else 1)
PY
cd "$work"
"$work/venv/bin/python" check.py
