"""Dropout keeps the share it says, with the scale that makes it unbiased, from torch's random state."""

from __future__ import annotations

import pytest
import torch

from gnnviz.csr import CSR
from gnnviz.dropout import draw_kept, dropout, feature_dropout

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("share", "scale"), [(0.5, 2.0), (0.25, 4 / 3), (0.6, 65536 / 26214), (0.1, 65536 / 58982)]
)
def test_share_and_scale(share: float, scale: float) -> None:
    torch.manual_seed(0)
    shape = torch.Size([1000, 1001])
    kept, factor = draw_kept(shape, share, CPU)
    assert factor == pytest.approx(scale, rel=1e-12)
    # Four standard deviations of the mean of a million coins are 0.002.
    assert kept.double().mean().item() == pytest.approx(1 / scale, abs=0.002)
    result = dropout(torch.ones(1000, 1001), share)
    assert result.unique().tolist() == pytest.approx([0.0, scale], rel=1e-6)
    assert result.mean().item() == pytest.approx(1, abs=0.002 * scale)


@pytest.mark.parametrize("share", [0.5, 0.6])
def test_values_are_dropped_independently_of_their_neighbours(share: float) -> None:
    torch.manual_seed(1)
    kept, scale = draw_kept(torch.Size([1_000_000]), share, CPU)
    keep = 1 / scale
    for distance in (1, 2, 4, 7, 8):
        both = (kept[distance:] & kept[:-distance]).double().mean().item()
        assert both == pytest.approx(keep * keep, abs=0.002)


@pytest.mark.parametrize("share", [1e-9, 1 - 1e-9])
def test_shares_at_the_edge_neither_drop_nor_keep_everything_for_certain(share: float) -> None:
    torch.manual_seed(0)
    kept, scale = draw_kept(torch.Size([2_000_000]), share, CPU)
    assert 0 < kept.sum().item() < 2_000_000
    assert scale == (65536 / 65535 if share < 0.5 else 65536)


def test_seed_and_saved_state_fix_the_masks() -> None:
    x = torch.ones(37, 5)
    torch.manual_seed(3)
    first = dropout(x, 0.5)
    state = torch.get_rng_state()
    second = dropout(x, 0.5)
    torch.set_rng_state(state)
    assert torch.equal(dropout(x, 0.5), second)
    assert not torch.equal(first, second)
    torch.manual_seed(3)
    assert torch.equal(dropout(x, 0.5), first)


def test_nothing_is_drawn_where_nothing_is_dropped() -> None:
    x = torch.randn(4, 4)
    state = torch.get_rng_state()
    assert dropout(x, 0.0) is x
    assert feature_dropout(x, 0.0) is x
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradient_is_that_of_the_mask_at_zeros_too(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x = torch.zeros(50, 3, dtype=dtype, requires_grad=True)
    state = torch.get_rng_state()
    dropout(x, 0.25).sum().backward()
    torch.set_rng_state(state)
    kept, scale = draw_kept(x.shape, 0.25, CPU)
    assert x.grad is not None
    torch.testing.assert_close(x.grad, kept.to(dtype) * scale)


def test_gradcheck() -> None:
    def seeded(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(0)
        return dropout(x, 0.6)

    assert torch.autograd.gradcheck(seeded, (torch.randn(4, 3, dtype=torch.float64, requires_grad=True),))


@pytest.mark.parametrize("with_values", [True, False])
def test_sparse_features_are_dropped_entry_by_entry(with_values: bool) -> None:
    rows, columns = torch.arange(1000).repeat_interleave(10), torch.arange(10_000) % 37
    values = torch.full((10_000,), 3.0) if with_values else None
    x = CSR.from_entries(rows, columns, values, (1000, 37))
    torch.manual_seed(0)
    dropped = feature_dropout(x, 0.5)
    assert isinstance(dropped, CSR)
    assert dropped.values is not None
    assert dropped.indices is x.indices
    assert set(dropped.values.unique().tolist()) == ({0.0, 6.0} if with_values else {0.0, 2.0})
    assert (dropped.values > 0).double().mean().item() == pytest.approx(0.5, abs=0.02)
