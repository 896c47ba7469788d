#!/bin/bash
# syne-tune 0.16.0: expected hypervolume improvement does no better than random draws where costs are above -2.
#
# A good guess: ExpectedHyperVolumeImprovement, told the costs of each trial, such as an error and a latency in seconds,
# looks for the front of their least values, and does so whatever constant is added to each cost.
# What happens: costs are turned into -cost, and the reference point, which the improvement is counted from, is fixed at
# +2 for each objective, without any scaling. Every cost above -2, so every cost that is not negative, is beyond it: no
# trial improves anything, and proposals are as good as random ones. Told the same costs less 2.5 each (a reference of
# 0.5 in the costs), the searcher finds a clearly larger area, with the same seeds and trials.
# And with botorch 0.18.1 the searcher stops with an error ("expected scalar type Double but found Float") unless
# torch's default type is double, since it makes its targets in the default type and its inputs in double.
#
# Source: _sample_next_candidate in optimizer/schedulers/multiobjective/expected_hyper_volume_improvement.py.
# Exits with an error when that changes. Needs Python 3.11 or 3.12 as python3 (or PYTHON=...), and PyPI.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    syne-tune==0.16.0 torch==2.13.0 botorch==0.18.1 gpytorch==1.15.2 numpy==2.4.6

cat > "$work/check.py" <<'PY'
import logging
import sys
import warnings
from importlib.metadata import version

import numpy as np
import torch
from syne_tune.config_space import uniform
from syne_tune.optimizer.schedulers.multiobjective.expected_hyper_volume_improvement import (
    ExpectedHyperVolumeImprovement,
)

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)  # with botorch 0.18.1 float and double meet otherwise, an error
NAMES = [f"x{i}" for i in range(4)]
TRIALS, SEEDS, EDGE = 22, 3, 0.5


def costs(x):
    """Two errors, from 0 to about 0.6: the best compromises lie between 0.2 and 0.8 in every place."""
    return np.array([np.mean((x - 0.2) ** 2), np.mean((x - 0.8) ** 2)])


def area(found):
    total, edge = 0.0, EDGE
    for first, second in sorted(found):
        if second < edge and first < EDGE:
            total += (EDGE - first) * (edge - second)
            edge = second
    return total


def search(shift, seed):
    """Area of the costs of all trials. The searcher is told each cost less `shift`."""
    np.random.seed(seed)
    searcher = ExpectedHyperVolumeImprovement(
        {name: uniform(0, 1) for name in NAMES}, num_init_random=8, num_raw_samples=64, mc_samples=32,
        random_seed=seed,
    )
    found = []
    for trial in range(TRIALS):
        config = searcher.suggest()
        values = costs(np.array([config[name] for name in NAMES]))
        found.append(tuple(values))
        searcher.on_trial_complete(trial, config, list(values - shift))
    return area(found)


print(f"syne-tune {version('syne-tune')}, botorch {version('botorch')}, torch {torch.__version__}")
random = [area([tuple(costs(np.random.default_rng((seed, i)).random(4))) for i in range(TRIALS)]) for seed in range(40)]
areas = {"random draws": np.array(random)}
# With 2.5 less a reference of 2 in -cost is one of 0.5 in the costs themselves.
for name, shift in (("costs as they are", 0.0), ("the same costs, each less 2.5", 2.5)):
    areas[name] = np.array([search(shift, seed) for seed in range(SEEDS)])
for name, values in areas.items():
    print(f"{name}: area {values.mean():.4f} ({len(values)} seeds, least {values.min():.4f}, most {values.max():.4f})")
plain, shifted = areas["costs as they are"], areas["the same costs, each less 2.5"]
sys.exit(0 if (shifted > plain).all() and shifted.min() > areas["random draws"].max() > plain.min() else 1)
PY
cd "$work"
"$work/venv/bin/python" check.py
