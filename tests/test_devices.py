"""The core makes every tensor on the device of the graph and the model, never on a default one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from model_cases import CASES, Case, with_cases
from scipy import sparse
from torch import Tensor

from gnnviz.csr import CSR
from gnnviz.graph import Graph
from gnnviz.layers import GATConv, GCNConv, SAGEConv
from gnnviz.models import MODELS, build_model
from gnnviz.stack import Stack
from gnnviz.torch_graph import TorchGraph

FACTORIES = [
    "arange",
    "as_tensor",
    "asarray",
    "empty",
    "empty_strided",
    "eye",
    "from_numpy",
    "full",
    "linspace",
    "logspace",
    "ones",
    "rand",
    "randint",
    "randn",
    "randperm",
    "scalar_tensor",
    "sparse_coo_tensor",
    "sparse_csr_tensor",
    "tensor",
    "tril_indices",
    "triu_indices",
    "zeros",
]

needs_cuda = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@contextmanager
def devices_must_be_named() -> Iterator[None]:
    """Make torch's factories refuse to choose a device, in backward functions too."""

    def strict(name: str, factory: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def checked(*args: object, **kwargs: object) -> Tensor:
            is_converted = name in ("as_tensor", "asarray") and isinstance(args[0], Tensor)
            assert kwargs.get("device") is not None or is_converted, f"torch.{name} without a device"
            return factory(*args, **kwargs)

        return checked

    with pytest.MonkeyPatch.context() as patch:
        for name in FACTORIES:
            patch.setattr(torch, name, strict(name, getattr(torch, name)))
        yield


def small_graph() -> Graph:
    generator = np.random.default_rng(0)
    words = sparse.random_array((30, 12), density=0.3, rng=generator, format="csr")
    return Graph(x=words, edge_index=generator.integers(0, 28, (2, 60)), y=generator.integers(0, 3, 30))


def small_model(case: Case) -> Stack:
    changes = {"attention_dropout": 0.5} if MODELS[case.model].has_heads else {}
    torch.manual_seed(0)
    return build_model(case.config(**changes), 12, 3)


@with_cases(CASES)
def test_everything_takes_its_device_from_graph_and_model(case: Case) -> None:
    graph = small_graph()
    model = small_model(case)
    with devices_must_be_named():
        prepared = TorchGraph.from_graph(graph, "cpu")
        for x, form in ((prepared.x, prepared), (prepared.x, graph), (prepared.x, prepared.edge_index)):
            model(x, form).sum().backward()
        model.eval()
        for state in model.hidden_states(prepared.x, prepared):
            assert state.device.type == "cpu"
        if MODELS[case.model].has_heads:
            model.attention(prepared.x, prepared)


class _CarelessBackward(torch.autograd.Function):
    @staticmethod
    def forward(_: object, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_: object, grad: Tensor) -> Tensor:
        return grad + torch.zeros(3)


def test_a_tensor_on_a_default_device_would_be_caught() -> None:
    x = torch.zeros(3, requires_grad=True)
    with devices_must_be_named():
        torch.zeros(2, device="cpu")
        with pytest.raises(AssertionError, match=r"torch\.arange without a device"):
            torch.arange(3)
        with pytest.raises(AssertionError, match=r"torch\.zeros without a device"):
            _CarelessBackward.apply(x).sum().backward()
    torch.zeros(2)  # and only within


@pytest.mark.parametrize("case", [pytest.param(case, id=str(case), marks=needs_cuda) for case in CASES])
def test_model_on_cuda_equals_the_one_on_the_cpu(case: Case) -> None:
    results = []
    for device in ("cpu", "cuda"):
        model = small_model(case).to(device).eval()
        graph = small_graph().to_torch(device)
        out = model(graph.x, graph)
        out.square().sum().backward()
        assert out.device.type == device
        results.append([out.detach().cpu()] + [parameter.grad.cpu() for parameter in model.parameters()])
    for on_cpu, on_cuda in zip(*results, strict=True):
        torch.testing.assert_close(on_cpu, on_cuda, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", [pytest.param(case, id=str(case), marks=needs_cuda) for case in CASES])
def test_training_on_cuda_repeats_bit_for_bit(case: Case) -> None:
    graph = small_graph().to_torch("cuda")
    runs = []
    for _ in range(2):
        model = small_model(case).to("cuda")
        torch.manual_seed(1)
        out = model(graph.x, graph)
        out.square().sum().backward()
        runs.append([out.detach()] + [parameter.grad for parameter in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))


@pytest.mark.parametrize(
    "make", [pytest.param(make, marks=needs_cuda) for make in (GCNConv, SAGEConv, GATConv)]
)
def test_layer_on_cuda_takes_dense_features_and_raw_edges(make: type[torch.nn.Module]) -> None:
    torch.manual_seed(0)
    layer, x = make(5, 4), torch.randn(6, 5)
    edge_index = torch.tensor([[0, 1, 1, 2, 3, 3], [1, 0, 0, 2, 4, 1]])
    expected = layer(x, edge_index)
    torch.testing.assert_close(
        layer.cuda()(x.cuda(), edge_index.cuda()).cpu(), expected, rtol=1e-4, atol=1e-5
    )
    words = CSR.from_torch((x > 0).float())
    expected = layer.cpu()(words, edge_index)
    on_cuda = layer.cuda()(words.to("cuda"), edge_index.cuda())
    torch.testing.assert_close(on_cuda.cpu(), expected, rtol=1e-4, atol=1e-5)
