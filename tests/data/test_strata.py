from __future__ import annotations

import numpy as np

from compresskit.data.strata import choose_groups, choose_rows, shares, strata_of


def test_strata_are_classes_or_tenths() -> None:
    assert strata_of(np.asarray([5, 2, 5])).tolist() == [1, 0, 1]
    tenths = strata_of(np.linspace(0, 1, 200, dtype=np.float32))
    assert np.bincount(tenths).tolist() == [20] * 10
    assert strata_of(np.asarray([2.0, 2.0], dtype=np.float32)).tolist() == [0, 0]


def test_shares_add_up_to_the_size() -> None:
    strata = np.repeat([0, 1, 2], [50, 33, 17])
    assert shares(strata, 10).tolist() == [5, 3, 2]
    assert all(shares(strata, size).sum() == size for size in range(100))


def test_single_rows_keep_the_mix_exactly_and_follow_the_seed() -> None:
    strata = np.repeat([0, 1], [80, 20])
    group = np.arange(100)
    chosen = choose_groups(group, strata, 10, seed=4)
    assert np.bincount(strata[chosen]).tolist() == [8, 2]
    assert chosen.tolist() == choose_groups(group, strata, 10, seed=4).tolist()
    assert chosen.tolist() != choose_groups(group, strata, 10, seed=5).tolist()


def test_groups_are_taken_whole() -> None:
    rng = np.random.default_rng(0)
    group = np.sort(rng.integers(0, 60, size=300))
    strata = rng.integers(0, 2, size=300)
    chosen = choose_groups(group, strata, 60, seed=0)
    assert 50 <= len(chosen) <= 66
    assert not set(group[chosen]) & set(np.delete(group, chosen))


def test_the_last_row_of_a_label_is_not_taken() -> None:
    strata = np.asarray([0, 0, 0, 1])
    assert all(3 not in choose_groups(np.arange(4), strata, 3, seed) for seed in range(20))


def test_rows_of_the_search_part() -> None:
    strata = np.repeat([0, 1], [30, 10])
    chosen = choose_rows(strata, 8, seed=0)
    assert np.bincount(strata[chosen]).tolist() == [6, 2]
    assert choose_rows(strata, 100, seed=0).tolist() == list(range(40))
