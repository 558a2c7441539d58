"""Each node's neighbours as a sequence, and an LSTM that reads all sequences at once.

Knows a sparse structure; knows no graph and no layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gnnviz.csr import CSR
from gnnviz.sparse import spmm


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourSequences:
    """The neighbours of every row that has any, packed step by step: no row is padded to a hub's length.

    Attributes:
        picks: [nnz, columns], row k picks the k-th neighbour: first those that are read first, longest row
            first, then those that are read second, and so on.
        batch_sizes: how many rows have a neighbour left at each step, as many steps as the longest row
            has neighbours; one step of 0 rows where there is no neighbour at all.
        places: where each row is among the rows that have any, longest first [rows] int64; a row without
            a neighbour comes after all of those.
    """

    picks: CSR
    batch_sizes: tuple[int, ...]
    places: Tensor

    @classmethod
    def from_structure(cls, structure: CSR, order_seed: int) -> NeighbourSequences:
        """Return each row's columns in a random order.

        Args:
            structure: row i holds the neighbours of node i; values are not used.
            order_seed: fixes the order; a whole number of 0 or more.
        """
        generator = torch.Generator().manual_seed(order_seed)
        shuffled = torch.randperm(len(structure.indices), generator=generator, device="cpu")
        shuffled = shuffled.to(structure.device)  # drawn on the CPU: the same order on every device
        by_row = structure.rows.index_select(0, shuffled).sort(stable=True).indices
        columns = structure.indices.index_select(0, shuffled.index_select(0, by_row))
        longest_first = structure.row_lengths().sort(descending=True, stable=True).indices
        places = torch.empty_like(longest_first)
        places[longest_first] = torch.arange(len(places), device=places.device)
        entries = torch.arange(len(columns), device=columns.device)
        step = entries - structure.indptr.index_select(0, structure.rows)
        step_by_step = (step * len(places) + places.index_select(0, structure.rows)).argsort()
        picked = columns.index_select(0, step_by_step)
        return cls(
            picks=CSR.from_entries(entries, picked, None, (len(columns), structure.shape[1])),
            batch_sizes=tuple(torch.bincount(step, minlength=1).tolist()),
            places=places,
        )

    def last_states(self, gates: Tensor, recurrent: Tensor) -> Tensor:
        """Return an LSTM's hidden state after each row's last neighbour [rows, hidden]; 0 without any.

        The same as `nn.LSTM` gives on these packed sequences; but the time that its gradient takes grows
        as the number of neighbours times the longest row, here as the number of neighbours alone.

        Args:
            gates: what the columns' features say to the four gates, biases included [columns, 4 * hidden],
                in torch's order: input, forget, cell, output.
            recurrent: what the hidden state says to them [4 * hidden, hidden].
        """
        hidden = recurrent.shape[1]
        ended = [gates.new_zeros(1, hidden)]
        state = memory = gates.new_zeros(self.batch_sizes[0], hidden)
        for said in spmm(self.picks, gates).split(self.batch_sizes):
            sizes = [len(said), len(state) - len(said)]
            state, done = state.split(sizes)
            ended.append(done)
            taken, kept, new, shown = torch.addmm(said, state, recurrent.t()).chunk(4, dim=1)
            memory = kept.sigmoid() * memory[: len(said)] + taken.sigmoid() * new.tanh()
            state = shown.sigmoid() * memory.tanh()
        by_length = torch.cat([state, *reversed(ended)])
        return by_length.index_select(0, self.places.clamp(max=len(by_length) - 1))
