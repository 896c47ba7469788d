"""Scales of what an output projection is fed with, so that its output comes near a wanted one."""

from __future__ import annotations

import torch

LIMIT = 10.0
_RIDGE = 1e-6


class ScaleProblem:
    """Least squares for one scale m of each member: `sum_t || sum_i m_i A_i(t) - wanted(t) ||^2`.

    `A_i(t)` is what member i (a head of `size` columns, or a unit of one) adds to the output for token
    t. Only the normal equations are kept, in double precision, so tokens may come in any number.
    """

    def __init__(self, weight: torch.Tensor, size: int) -> None:
        self.weight = weight.detach().double()  # (hidden, members x size)
        self.size = size
        members = weight.shape[1] // size
        self._inner = self.weight.T @ self.weight
        self._squares = self.weight.new_zeros(members * size, members * size)
        self.target = self.weight.new_zeros(members)
        self.tokens = 0

    def add(self, values: torch.Tensor, wanted: torch.Tensor) -> None:
        """`values`: (tokens, members x size), what the projection is fed; `wanted`: (tokens, hidden)."""
        fed = values.detach().double()
        self._squares += fed.T @ fed
        product = (fed * (wanted.detach().double() @ self.weight)).sum(0)  # (members x size,)
        self.target += product.view(-1, self.size).sum(1)
        self.tokens += len(fed)

    @property
    def gram(self) -> torch.Tensor:
        """(members, members): `sum_t A_i(t) . A_j(t)`."""
        product = self._squares * self._inner
        members = len(self.target)
        return product.view(members, self.size, members, self.size).sum((1, 3))

    def solve(self) -> torch.Tensor | None:
        """The scales (members,); None where one is beyond +-10, as a solution of noise is.

        A ridge of a millionth of the mean diagonal draws towards 1, for members that are never active.
        """
        gram = self.gram
        ridge = _RIDGE * float(gram.diagonal().mean())
        if not ridge > 0:
            return None
        eye = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        change = torch.linalg.solve(gram + ridge * eye, self.target - gram.sum(1))
        scales = 1 + change
        return scales if bool((scales.abs() <= LIMIT).all()) else None
