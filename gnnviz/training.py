"""Training: `train` gives an iterator of `EpochRecord`, which can be stopped after any epoch and continued.

The caller stops by not iterating on, and stores what it wants to keep. Knows models and graphs;
knows no run and writes no file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gnnviz.config import DeviceType, TrainConfig
from gnnviz.errors import ConfigError, RunError
from gnnviz.graph import Graph
from gnnviz.memory import memory_in_words
from gnnviz.models import ModelConfig, build_model
from gnnviz.node_sets import NodeSets
from gnnviz.records import BestEpoch, EpochRecord, TrainState
from gnnviz.seeding import INITIAL_WEIGHTS, TRAINING, RandomStates, seed_torch, stream_seed
from gnnviz.stack import Stack
from gnnviz.torch_graph import TorchGraph

__all__ = ["TrainConfig", "Training", "initial_model", "seed_torch", "torch_device", "train"]

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")

Arrays = dict[str, NDArray[np.generic]]


def initial_model(config: ModelConfig, seed: int, in_channels: int, out_channels: int) -> Stack:
    """Return the model with the initial weights of `seed`, on the CPU.

    Args:
        config: which layers, and how many.
        seed: 0 or more.
        in_channels: F, number of features of a node, 1 or more.
        out_channels: C, number of classes, 2 or more.

    Raises:
        ConfigError: no features, or fewer than two classes.
        RunError: the weights do not fit into memory.
    """
    seed_torch(seed, INITIAL_WEIGHTS)
    with memory_in_words(f"the weights of {_in_words(config)}"):
        return build_model(config, in_channels, out_channels)


def torch_device(device: DeviceType) -> torch.device:
    """Return torch's device of that type.

    Raises:
        ConfigError: this machine has none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device is cuda, but torch finds no CUDA device on this machine; choose cpu")
    return torch.device(device)


def train(
    model: Stack, graph: Graph | TorchGraph, config: TrainConfig, resume: TrainState | None = None
) -> Training:
    """Return the epochs of a training, full batch, each made when it is asked for.

    Args:
        model: with its initial weights, on the device to train on; changed by every epoch.
        graph: with labels and three masks that are not empty; moved to the model's device.
        config: optimiser, number of epochs, seed.
        resume: what to go on from; on a CPU the epochs are to the bit those of an uninterrupted
            training. Overwrites the model's weights.

    Raises:
        DatasetError: the graph has no labels, no or empty masks, or one class only to train on.
        ConfigError: the graph is on another device than the model.
        RunError: `resume` is of another model, or memory is too small.
    """
    device = next(model.parameters()).device
    if isinstance(graph, Graph):
        with memory_in_words(f"a graph of {graph.num_nodes} nodes and {graph.num_edges} edges"):
            graph = TorchGraph.from_graph(graph, device)
    if graph.device != device:
        raise ConfigError(f"the model is on {device}, the graph on {graph.device}; move one to the other")
    training = Training(model, graph, config)
    if resume is not None:
        training.restore(resume)
    return training


class Training(Iterator[EpochRecord]):
    """The epochs of one training; made by `train`.

    Each epoch is one step of Adam on the cross-entropy of the training nodes, then one forward pass
    without dropout that measures all three sets of nodes. Training draws from random states of its own
    and leaves torch's global ones as they were.

    Attributes:
        epoch: the last finished epoch, 0 before the first.
        best: the best epoch so far, or None before the first.

    Raises:
        RunError: while iterating: a number became infinite or undefined, or memory is too small.

    Reference: Kipf & Welling, ICLR 2017, section 3.1; Kingma & Ba, ICLR 2015, algorithm 1 (Adam).
    """

    def __init__(self, model: Stack, graph: TorchGraph, config: TrainConfig) -> None:
        self.epoch = 0
        self.best: BestEpoch | None = None
        self._model, self._graph, self._config = model, graph, config
        self._best_val_loss = math.inf
        self._stale_epochs = 0
        self._best_weights: dict[str, Tensor] = {}
        self._optimiser = _optimiser(model, config)
        self._parameters = dict(model.named_parameters())
        self._layer_of = [_layer_number(name) for name in self._parameters]
        self._sets = NodeSets(graph)
        self._random = RandomStates(graph.device, stream_seed(config.seed, TRAINING))

    def __iter__(self) -> Training:
        return self

    def __next__(self) -> EpochRecord:
        """Train one more epoch and return its measurements."""
        patience = self._config.patience
        if self.epoch >= self._config.epochs or (patience is not None and self._stale_epochs >= patience):
            raise StopIteration
        start = perf_counter()
        with memory_in_words(f"an epoch of {_in_words(self._model.config)}"), self._random.in_use():
            objective, grad_norms = self._step()
            losses, accuracies, weight_norms = self._evaluate()
        self.epoch += 1
        record = EpochRecord(
            epoch=self.epoch,
            objective=objective,
            train_loss=losses[0],
            val_loss=losses[1],
            test_loss=losses[2],
            train_acc=accuracies[0],
            val_acc=accuracies[1],
            test_acc=accuracies[2],
            grad_norms=grad_norms,
            weight_norms=weight_norms,
            seconds=perf_counter() - start,
        )
        self._remember(record)
        return record

    def weights(self) -> Arrays:
        """Return a copy of the model's weights, by their names in its state dict."""
        return _to_numpy(self._model.state_dict())

    def best_weights(self) -> Arrays:
        """Return a copy of the weights of the best epoch.

        Raises:
            RunError: no epoch has finished.
        """
        if self.best is None:
            raise RunError("there is no best epoch yet; train one epoch or more")
        return _to_numpy(self._best_weights)

    def state(self) -> TrainState:
        """Return a copy of all that the training needs to go on from here."""
        tensors = _prefixed("model", self.weights()) | _prefixed("best", _to_numpy(self._best_weights))
        for name, parameter in self._parameters.items():
            moments = self._optimiser.state[parameter]
            tensors |= _prefixed(f"optimiser.{name}", _to_numpy(moments))
        tensors |= _prefixed("random", _to_numpy(self._random.states))
        return TrainState(self.epoch, tensors, self.best, self._best_val_loss, self._stale_epochs)

    def restore(self, state: TrainState) -> None:
        """Go back, or ahead, to `state`.

        Raises:
            RunError: the state is of another model or another kind of device.
        """
        expected = {f"model.{name}": tuple(w.shape) for name, w in self._model.state_dict().items()}
        found = {name: a.shape for name, a in state.tensors.items() if name.startswith("model.")}
        kinds = {name for name in state.tensors if name.startswith("random.")}
        if expected != found or kinds != {f"random.{kind}" for kind in self._random.states}:
            raise RunError("the saved state is of another model or device; delete the run and train it again")
        device = self._graph.device
        self._model.load_state_dict(_part(state, "model", device))
        self._best_weights = _part(state, "best", device)
        self._random.states = _part(state, "random", torch.device("cpu"))
        for name, parameter in self._parameters.items():
            moments = _part(state, f"optimiser.{name}", device)
            self._optimiser.state[parameter] = {key: moments[key] for key in _MOMENTS if key in moments}
        self.epoch, self.best = state.epoch, state.best
        self._best_val_loss, self._stale_epochs = state.best_val_loss, state.stale_epochs

    def _step(self) -> tuple[float, tuple[float, ...]]:
        """Make one step of Adam; return the objective and each layer's gradient norm [L]."""
        self._model.train()
        self._optimiser.zero_grad()
        logits = self._model(self._graph.x, self._graph)  # [N, C]
        objective = self._sets.objective(logits)
        objective.backward()
        gradients = [p.grad for p in self._parameters.values() if p.grad is not None]
        # Looked at before the step: one bad gradient would spoil every weight and hide where it began.
        loss, *norms = torch.cat([objective.detach().unsqueeze(0), _norms(gradients)]).tolist()
        bad = [layer for layer, norm in zip(self._layer_of, norms, strict=True) if not math.isfinite(norm)]
        if bad or not math.isfinite(loss):
            raise self._not_finite(f"the gradient of layer {max(bad)}" if math.isfinite(loss) else "the loss")
        self._optimiser.step()
        return loss, self._by_layer(norms)

    @torch.no_grad()
    def _evaluate(self) -> tuple[list[float], list[float], tuple[float, ...]]:
        """Return losses and accuracies on train, val and test, and each layer's weight norm [L]."""
        self._model.eval()
        sums = self._sets.sums(self._model(self._graph.x, self._graph))  # [6]
        weight_norms = _norms(list(self._parameters.values())).double()  # [P]
        values = torch.cat([sums, weight_norms]).tolist()
        if not all(map(math.isfinite, values)):
            raise self._not_finite("the loss")
        means = [total / size for total, size in zip(values[:6], self._sets.sizes * 2, strict=True)]
        return means[:3], means[3:], self._by_layer(values[6:])

    def _by_layer(self, norms: list[float]) -> tuple[float, ...]:
        """Return the norm of each layer [L] from those of its parameters [P]."""
        squares = [0.0] * self._model.config.num_layers
        for layer, norm in zip(self._layer_of, norms, strict=True):
            squares[layer - 1] += norm * norm
        return tuple(map(math.sqrt, squares))

    def _remember(self, record: EpochRecord) -> None:
        """Keep the best epoch with its weights, and count the epochs without a new best."""
        best = self.best
        is_new_best = record.val_loss < self._best_val_loss or best is None or record.val_acc > best.val_acc
        self._stale_epochs = 0 if is_new_best else self._stale_epochs + 1
        self._best_val_loss = min(self._best_val_loss, record.val_loss)
        if best is None or best.is_beaten_by(record):
            self.best = BestEpoch(record.epoch, record.val_acc, record.val_loss, record.test_acc)
            self._best_weights = {name: w.clone() for name, w in self._model.state_dict().items()}

    @torch.no_grad()
    def _not_finite(self, what: str) -> RunError:
        """Return the error that names the first layer whose output is not finite, or else `what`."""
        for layer, h in enumerate(self._model.hidden_states(self._graph.x, self._graph)):
            if not h.isfinite().all():
                what = f"layer {layer}'s output"
                break
        return RunError(
            f"{what} is not finite at epoch {self.epoch + 1}: the numbers grew too large; "
            "choose a lower learning rate, fewer layers or normalised features"
        )


def _optimiser(model: Stack, config: TrainConfig) -> torch.optim.Adam:
    """Return Adam, with weight decay on the first layer or on all parameters."""
    first, rest = [], []
    for name, parameter in model.named_parameters():
        (first if _layer_number(name) == 1 else rest).append(parameter)
    decay_of_rest = config.weight_decay if config.decay_on == "all" else 0.0
    groups = [
        {"params": first, "weight_decay": config.weight_decay},
        {"params": rest, "weight_decay": decay_of_rest},
    ]
    return torch.optim.Adam(groups, lr=config.learning_rate, fused=True)


def _layer_number(name: str) -> int:
    """Return the number, from 1, of the layer that the parameter `layers.I.*` belongs to."""
    return int(name.split(".")[1]) + 1


def _norms(tensors: list[Tensor]) -> Tensor:
    """Return the Euclidean norm of each of P tensors [P]."""
    norms = torch._foreach_norm(tensors)  # pyright: ignore[reportPrivateImportUsage]
    return torch.stack(norms)


def _in_words(config: ModelConfig) -> str:
    heads = f" and {config.heads} heads" if config.heads > 1 else ""
    return f"{config.num_layers} layers of {config.hidden_channels} channels{heads}"


def _to_numpy(tensors: dict[str, Tensor]) -> Arrays:
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


def _prefixed(prefix: str, arrays: Arrays) -> Arrays:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _part(state: TrainState, prefix: str, device: torch.device) -> dict[str, Tensor]:
    """Return the tensors of a state whose names begin with `prefix`, without it."""
    start = f"{prefix}."
    return {
        name.removeprefix(start): torch.tensor(array, device=device)
        for name, array in state.tensors.items()
        if name.startswith(start)
    }
