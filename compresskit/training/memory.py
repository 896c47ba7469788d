"""Cached outputs of a frozen teacher, so that it computes each row once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psutil
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from compresskit.inputs import InputSpec
from compresskit.supernet.output import said

MOST_BYTES = 2 << 30
MOST_SHARE = 0.25  # of the memory that is free when the first row is kept
BLOCK_BYTES = 64 << 20  # rows kept one by one among what a step allocates would scatter the heap

Batch = Mapping[str, torch.Tensor]


@dataclass(frozen=True, eq=False)
class Answers:
    """Of a batch: what the teacher said, (batch, ...), and hidden states (batch, length, hidden).

    The hidden states are those of a model's output. What comes out of memory has none of the first, of the
    embeddings, which nothing is matched with, and 0 where there is no token.
    """

    said: torch.Tensor
    hidden_states: tuple[torch.Tensor, ...] = ()


@dataclass(frozen=True, eq=False)
class _Row:
    said: torch.Tensor  # (classes,), or (tokens, classes)
    states: torch.Tensor  # (tokens, layers, hidden)

    @property
    def num_bytes(self) -> int:
        return self.said.nbytes + self.states.nbytes


class TeacherMemory:
    """Answers of one teacher by row, while there is room; it forgets them for another teacher.

    Rows are known by what is put to the model, so they may come from any split, in any order and padding.
    On a GPU nothing is kept: there a forward takes less time than to fetch what it would say.
    """

    def __init__(self, most_bytes: int | None = None) -> None:
        self._most = most_bytes
        self._teacher: bytes | None = None
        self.clear()

    def clear(self) -> None:
        self._rows: dict[bytes, _Row] = {}
        self._used = 0
        self._block = torch.empty(0)  # (tokens, layers, hidden): what is free of the last one

    def __len__(self) -> int:
        return len(self._rows)

    def begin(self, teacher: nn.Module) -> None:
        """What is asked from now on is asked of `teacher`, or of a model with the same weights."""
        if next(teacher.parameters()).device.type != "cpu":
            return  # nothing is kept, so no rows have to be identified
        found = hashlib.blake2b()
        for name, value in teacher.state_dict().items():
            found.update(name.encode())
            found.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
        if found.digest() != self._teacher:
            self.clear()
            self._teacher = found.digest()

    def answers(self, batch: Batch, inputs: InputSpec, ask: Callable[[Batch], Any]) -> Answers:
        """What the teacher says of `batch`; `ask` puts rows to it, where they are new.

        `batch`: `inputs` of shape (batch, length), padded at the right. Of rows of several texts, (batch,
        texts, length), of which a model says a number each, the texts are kept. Inputs without a mask, such
        as images, are all of one size. `ask` returns a model's
        output with hidden states.
        """
        if inputs.mask is None:
            return self._of_one_size(batch, ask)
        mask = inputs.real(batch)
        if mask.device.type != "cpu":
            output = ask(batch)
            return Answers(said(output), output.hidden_states)
        shape = batch[inputs.names[0]].shape[:-1]
        alone = (1,) * (len(shape) - 1)  # texts of a row that is asked
        batch = {name: value.reshape(len(mask), *alone, -1) for name, value in batch.items()}
        lengths: list[int] = mask.sum(1).tolist()
        keys = _keys(batch, inputs.mask, lengths)
        new = [i for i, key in enumerate(keys) if key not in self._rows]
        fresh = dict(zip(new, self._learn(batch, new, lengths, ask), strict=True)) if new else {}
        for i, row in fresh.items():
            self._keep(keys[i], row)
        rows = [fresh[i] if i in fresh else self._rows[key] for i, key in enumerate(keys)]
        states = rows[0].states.new_zeros((*mask.shape, *rows[0].states.shape[1:]))
        for place, row in enumerate(rows):
            states[place, : len(row.states)] = row.states
        answers = pad_sequence([row.said for row in rows], batch_first=True)
        answers = answers.reshape(shape) if alone else _wide(answers, mask)
        return Answers(answers, (states.new_empty(0), *states.unbind(2)))

    def _of_one_size(self, batch: Batch, ask: Callable[[Batch], Any]) -> Answers:
        arrays = [batch[name] for name in sorted(batch)]
        if arrays[0].device.type != "cpu":
            output = ask(batch)
            return Answers(said(output), output.hidden_states)
        parts = [[array[i].numpy().tobytes() for array in arrays] for i in range(len(arrays[0]))]
        keys = [hashlib.blake2b(b"".join(each), digest_size=16).digest() for each in parts]
        fresh: dict[int, _Row] = {}
        if new := [i for i, key in enumerate(keys) if key not in self._rows]:
            output = ask({name: value[new] for name, value in batch.items()})
            states = torch.stack(output.hidden_states[1:], dim=2)
            fresh = {i: _Row(said(output)[place].clone(), states[place]) for place, i in enumerate(new)}
        for i, row in fresh.items():
            self._keep(keys[i], row)
        rows = [fresh[i] if i in fresh else self._rows[key] for i, key in enumerate(keys)]
        states = torch.stack([row.states for row in rows])
        return Answers(torch.stack([row.said for row in rows]), (states.new_empty(0), *states.unbind(2)))

    @staticmethod
    def _learn(batch: Batch, new: list[int], lengths: list[int], ask: Callable[[Batch], Any]) -> list[_Row]:
        width = max(lengths[i] for i in new)
        output = ask({name: value[new, ..., :width] for name, value in batch.items()})
        answers, states = said(output), torch.stack(output.hidden_states[1:], dim=2)
        return [
            _Row(_own(answers[place], lengths[i]).clone(), states[place, : lengths[i]])
            for place, i in enumerate(new)
        ]

    def _keep(self, key: bytes, row: _Row) -> None:
        if self._most is None:
            self._most = min(MOST_BYTES, int(MOST_SHARE * psutil.virtual_memory().available))
        if key not in self._rows and self._used + row.num_bytes <= self._most:
            self._rows[key] = _Row(row.said, self._copied(row.states))
            self._used += row.num_bytes

    def _copied(self, states: torch.Tensor) -> torch.Tensor:
        """`states` in the last block, or in a new one where that is full."""
        tokens = len(states)
        if self._block.dtype != states.dtype or len(self._block) < tokens:
            most = max(tokens, BLOCK_BYTES // states[0].nbytes)
            self._block = states.new_empty((most, *states.shape[1:]))
        kept, self._block = self._block[:tokens], self._block[tokens:]
        return kept.copy_(states)


def _own(answer: torch.Tensor, length: int) -> torch.Tensor:
    """What was said of a row, without that of padding."""
    return answer[:length] if answer.ndim > 1 else answer


def _wide(answers: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """What was said of tokens, filled up to the batch's length with 0."""
    if answers.ndim < 3:
        return answers
    return F.pad(answers, (0, 0, 0, mask.shape[1] - answers.shape[1]))


def _keys(batch: Batch, mask: str | None, lengths: list[int]) -> list[bytes]:
    arrays = [batch[name].numpy() for name in sorted(batch) if name != mask]
    return [b"".join(array[i, ..., :n].tobytes() for array in arrays) for i, n in enumerate(lengths)]
