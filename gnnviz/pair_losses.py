"""What embeddings are worth that should bring near nodes together and keep far nodes apart.

Knows embeddings and pairs; knows no graph and no model.
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from gnnviz.csr import CSR
from gnnviz.objectives import PairConfig
from gnnviz.sparse import entry_dots, product, transposed_product


def similarities(embeddings: Tensor, starts: Tensor, others: Tensor, kind: str) -> Tensor:
    """Return how similar each start is to each of its others [S, P], with gradient.

    Args:
        embeddings: [N, H].
        starts: rows of `embeddings` [S].
        others: rows of `embeddings` [S, P].
        kind: "cosine", in -1..1 (0 for an embedding of zeros), or "dot".
    """
    if kind == "cosine":
        embeddings = F.normalize(embeddings, dim=1)
    rows = torch.arange(len(starts), device=starts.device).repeat_interleave(others.shape[1])
    pairs = CSR.from_entries(rows, others.reshape(-1), None, (len(starts), len(embeddings)))
    return _Dots.apply(embeddings.index_select(0, starts), embeddings, pairs).view(others.shape)


def pair_loss(
    objective: str, embeddings: Tensor, starts: Tensor, near: Tensor, far: Tensor, config: PairConfig
) -> Tensor:
    """Return the loss of some pairs, a scalar: the mean over the starts.

    Args:
        objective: "max_margin", or another one with pairs.
        embeddings: [N, H].
        starts: rows of `embeddings` [S], 1 or more, each once.
        near: rows [S, P]; where one is the start itself it is no pair, but each start has one that is not.
        far: rows [S, M].
        config: similarity, weight and margin.
    """
    is_pair = near != starts.unsqueeze(1)  # [S, P]
    both = similarities(embeddings, starts, torch.cat([near, far], dim=1), config.similarity)
    of_near, of_far = both.split([near.shape[1], far.shape[1]], dim=1)
    if objective == "max_margin":
        return _max_margin(of_near, of_far, is_pair, config.margin)
    return _unsupervised(of_near, of_far, is_pair, config.negative_weight)


def _unsupervised(near: Tensor, far: Tensor, is_pair: Tensor, negative_weight: float) -> Tensor:
    """Return -log s(near) - Q log s(-far), s the sigmoid, each a mean over the start's own pairs.

    Reference: Hamilton, Ying & Leskovec, NeurIPS 2017, eq. 1.
    """
    of_near = (F.logsigmoid(near) * is_pair).sum(dim=1) / is_pair.sum(dim=1)
    of_far = F.logsigmoid(-far).mean(dim=1)
    return -(of_near + negative_weight * of_far).mean()


def _max_margin(near: Tensor, far: Tensor, is_pair: Tensor, margin: float) -> Tensor:
    """Return max(0, margin + log s(most similar far node) - log s(least similar near node)).

    Similarities in -1..1 make the two logarithms differ by 1 at most: then no margin above 1 is ever met.

    Reference: Ying et al., KDD 2018 (PinSAGE), eq. 1.
    Differs: log s of the similarity instead of the similarity; the hardest pairs of each node only.
    """
    least_near = near.masked_fill(~is_pair, torch.inf).amin(dim=1)
    most_far = far.amax(dim=1)
    return F.relu(margin + F.logsigmoid(most_far) - F.logsigmoid(least_near)).mean()


class _Context(Protocol):
    pairs: CSR
    saved_tensors: tuple[Tensor, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _Dots(torch.autograd.Function):
    """Dot products of chosen rows, without gathering [pairs, H]: half the time of torch's own gradient."""

    @staticmethod
    def forward(ctx: _Context, left: Tensor, right: Tensor, pairs: CSR) -> Tensor:
        ctx.save_for_backward(left, right)
        ctx.pairs = pairs
        return entry_dots(pairs, left, right).view(-1)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: _Context, grad: Tensor
    ) -> tuple[Tensor, Tensor, None]:
        left, right = ctx.saved_tensors
        pairs = ctx.pairs
        return (
            product(pairs.indptr, pairs.indices, grad.contiguous(), right),
            transposed_product(pairs, grad, left),
            None,
        )
