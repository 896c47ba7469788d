"""Scales against numpy.linalg.lstsq on the equations written out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from compresskit.pruning.rivals.retraining_free.least_squares import ScaleProblem

HIDDEN, TOKENS = 6, 40


def written_out(
    values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64], size: int
) -> npt.NDArray[np.float64]:
    """(tokens x hidden, members): what each member adds to each output."""
    columns = [
        (values[:, start : start + size] @ weight[:, start : start + size].T).reshape(-1)
        for start in range(0, weight.shape[1], size)
    ]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize(("members", "size"), [(4, 3), (9, 1), (1, 5)])
def test_scales_solve_the_equations_that_are_written_out(members: int, size: int) -> None:
    generator = np.random.default_rng(members)
    weight = generator.normal(size=(HIDDEN, members * size))
    values = generator.normal(size=(TOKENS, members * size))
    truth = generator.uniform(0.5, 2.0, members)
    wanted = (values * truth.repeat(size)) @ weight.T + 0.3 * generator.normal(size=(TOKENS, HIDDEN))
    problem = ScaleProblem(torch.from_numpy(weight), size)
    for part in (slice(0, 13), slice(13, TOKENS)):
        problem.add(torch.from_numpy(values[part]), torch.from_numpy(wanted[part]))
    equations = written_out(values, weight, size)
    np.testing.assert_allclose(problem.gram.numpy(), equations.T @ equations, rtol=1e-10)
    expected = np.linalg.lstsq(equations, wanted.reshape(-1))[0]
    scales = problem.solve()
    assert scales is not None
    np.testing.assert_allclose(scales.numpy(), expected, rtol=1e-4)


def test_a_member_that_is_never_active_keeps_its_scale() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(TOKENS, 3, generator=generator)
    values[:, 1] = 0
    weight = torch.randn(HIDDEN, 3, generator=generator)
    problem = ScaleProblem(weight, 1)
    problem.add(values, 2 * values @ weight.T)
    scales = problem.solve()
    assert scales is not None
    torch.testing.assert_close(scales, torch.tensor([2.0, 1.0, 2.0]).double(), rtol=1e-4, atol=1e-6)


def test_scales_beyond_ten_are_rejected() -> None:
    generator = torch.Generator().manual_seed(0)
    values, weight = torch.randn(TOKENS, 2, generator=generator), torch.randn(HIDDEN, 2, generator=generator)
    for factor, accepted in ((9.5, True), (10.5, False), (-10.5, False)):
        problem = ScaleProblem(weight, 1)
        problem.add(values, factor * values @ weight.T)
        assert (problem.solve() is not None) == accepted


def test_without_any_activity_there_is_nothing_to_solve() -> None:
    problem = ScaleProblem(torch.ones(HIDDEN, 2), 1)
    problem.add(torch.zeros(TOKENS, 2), torch.ones(TOKENS, HIDDEN))
    assert problem.solve() is None
