"""Training: `train` gives an iterator of `EpochRecord`, which can be stopped at any step and continued.

The caller stops by not iterating on, and stores what it wants to keep. Knows models and graphs;
knows no run and writes no file.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from time import perf_counter

import torch
from torch import Tensor

from gnnviz.batches import Batch, Batches, WholeGraph, batch_loss, numpy_graph
from gnnviz.config import DeviceType, TrainConfig, check_training
from gnnviz.descent import Descent
from gnnviz.errors import ConfigError, RunError
from gnnviz.evaluation import evaluate, not_finite
from gnnviz.graph import Graph
from gnnviz.layers.dense_gat import check_dense_memory
from gnnviz.memory import memory_in_words
from gnnviz.mini_batches import MiniBatches
from gnnviz.models import ModelConfig, build_model
from gnnviz.node_sets import NodeSets
from gnnviz.objectives import OBJECTIVES
from gnnviz.pairs import SkippedStarts
from gnnviz.records import BestEpoch, EpochRecord, TrainState
from gnnviz.seeding import INITIAL_WEIGHTS, TRAINING, RandomStates, seed_torch, stream_seed
from gnnviz.stack import Stack
from gnnviz.state_tensors import Arrays, part_of, prefixed, to_numpy
from gnnviz.torch_graph import TorchGraph

__all__ = ["TrainConfig", "Training", "initial_model", "seed_torch", "torch_device", "train"]


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
    """Return the epochs of a training, each made when it is asked for.

    Args:
        model: with its initial weights, on the device to train on; changed by every epoch.
        graph: with labels and three masks that are not empty; moved to the model's device.
        config: objective, optimiser, number of epochs, seed.
        resume: what to go on from; on a CPU the epochs are to the bit those of an uninterrupted
            training. Overwrites the model's weights.

    Raises:
        DatasetError: the graph has no labels, no or empty masks, one class only to train on, or no pairs
            for an objective that compares nodes.
        ConfigError: this model cannot be trained so, or the graph is on another device than the model.
        RunError: `resume` is of another model, or memory is too small.
    """
    check_training(model.config, config)
    device = next(model.parameters()).device
    with memory_in_words(f"a graph of {graph.num_nodes} nodes and {_num_edges(graph)} edges"):
        on_device = TorchGraph.from_graph(graph, device) if isinstance(graph, Graph) else graph
        if on_device.device != device:
            raise ConfigError(
                f"the model is on {device}, the graph on {on_device.device}; move one to the other"
            )
        if model.config.attention_form == "dense":
            check_dense_memory(on_device.num_nodes, model.most_heads, device)
        sets = NodeSets(on_device)
        batches = _batches(model, graph, on_device, sets, config)
    training = Training(model, on_device, sets, batches, config)
    if resume is not None:
        training.restore(resume)
    return training


class Training(Iterator[EpochRecord]):
    """The epochs of one training; made by `train`.

    Each epoch is one step of Adam, or one for each mini-batch, then one forward pass on the whole graph
    without dropout that measures all three sets of nodes. Where the objective uses no labels, the head is
    before that fitted to the training nodes as a logistic regression, and is not changed by Adam. Training
    draws from random states of its own and leaves torch's global ones as they were.

    Attributes:
        epoch: the last finished epoch, 0 before the first.
        best: the best epoch so far, or None before the first.

    Raises:
        RunError: while iterating: a number became infinite or undefined, or memory is too small.

    Reference: Kipf & Welling, ICLR 2017, section 3.1; Hamilton, Ying & Leskovec, NeurIPS 2017, section 3.2
    and 4; Kingma & Ba, ICLR 2015, algorithm 1 (Adam).
    """

    def __init__(
        self, model: Stack, graph: TorchGraph, sets: NodeSets, batches: Batches, config: TrainConfig
    ) -> None:
        self.epoch = 0
        self.best: BestEpoch | None = None
        self._model, self._graph, self._sets, self._config = model, graph, sets, config
        self._batches = batches
        self._uses_labels = OBJECTIVES[config.objective].uses_labels
        self._best_val_loss = math.inf
        self._stale_epochs = 0
        self._best_weights: dict[str, Tensor] = {}
        self._descent = Descent(model, config)
        self._random = RandomStates(graph.device, stream_seed(config.seed, TRAINING))

    @property
    def skipped(self) -> SkippedStarts:
        """The nodes that the last epoch had to leave out because they have no pair."""
        return self._batches.skipped

    def __iter__(self) -> Training:
        return self

    def __next__(self) -> EpochRecord:
        """Train one more epoch and return its measurements."""
        for record in self.steps():
            if record is not None:
                return record
        raise StopIteration

    def steps(self) -> Generator[EpochRecord | None, None, None]:
        """Yield the record of each epoch that is left, and None after each mini-batch before it.

        Closing the iterator within an epoch takes the steps of that epoch back.
        """
        while not self._is_over():
            before = self.state() if self._config.batch_size is not None else None
            so_far = _EpochSoFar()
            batches = self._batches.of_epoch(self.epoch + 1)
            try:
                while self._trains_on_next(batches, so_far):
                    if before is not None:
                        yield None
            except GeneratorExit:
                if before is not None:
                    self.restore(before)
                raise
            yield self._finish(so_far)

    def weights(self) -> Arrays:
        """Return a copy of the model's weights, by their names in its state dict."""
        return to_numpy(self._model.state_dict())

    def best_weights(self) -> Arrays:
        """Return a copy of the weights of the best epoch.

        Raises:
            RunError: no epoch has finished.
        """
        if self.best is None:
            raise RunError("there is no best epoch yet; train one epoch or more")
        return to_numpy(self._best_weights)

    def state(self) -> TrainState:
        """Return a copy of all that the training needs to go on from here."""
        tensors = prefixed("model", self.weights()) | prefixed("best", to_numpy(self._best_weights))
        tensors |= self._descent.state() | prefixed("random", to_numpy(self._random.states))
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
        self._model.load_state_dict(part_of(state, "model", device))
        self._best_weights = part_of(state, "best", device)
        self._random.states = part_of(state, "random", torch.device("cpu"))
        self._descent.restore(state)
        self.epoch, self.best = state.epoch, state.best
        self._best_val_loss, self._stale_epochs = state.best_val_loss, state.stale_epochs

    def _is_over(self) -> bool:
        patience = self._config.patience
        return self.epoch >= self._config.epochs or (patience is not None and self._stale_epochs >= patience)

    def _trains_on_next(self, batches: Iterator[Batch], so_far: _EpochSoFar) -> bool:
        """Make one step on the next batch; return False if there is none."""
        start = perf_counter()
        with memory_in_words(f"an epoch of {_in_words(self._model.config)}"), self._random.in_use():
            batch = next(batches, None)
            if batch is None:
                return False
            self._model.train()
            loss, norms = self._descent.differentiate(batch_loss(self._model, batch, self._config))
            # Looked at before the step: one bad gradient would spoil every weight and hide where it began.
            bad = [layer for layer, norm in enumerate(norms, start=1) if not math.isfinite(norm)]
            if not math.isfinite(loss):
                raise not_finite(self._model, self._graph, self.epoch + 1, "the loss")
            if bad:
                raise not_finite(
                    self._model, self._graph, self.epoch + 1, f"the gradient of layer {max(bad)}"
                )
            self._descent.step()
        so_far.losses.append(loss)
        so_far.grad_norms = norms
        so_far.seconds += perf_counter() - start
        return True

    def _finish(self, so_far: _EpochSoFar) -> EpochRecord:
        """Measure the model after the steps of an epoch, and count the epoch as finished."""
        start = perf_counter()
        with memory_in_words(f"an epoch of {_in_words(self._model.config)}"), self._random.in_use():
            losses, accuracies = evaluate(
                self._model, self._graph, self._sets, self.epoch + 1, fits_head=not self._uses_labels
            )
            weight_norms = self._descent.weight_norms()
        self.epoch += 1
        record = EpochRecord(
            epoch=self.epoch,
            objective=sum(so_far.losses) / len(so_far.losses),
            train_loss=losses[0],
            val_loss=losses[1],
            test_loss=losses[2],
            train_acc=accuracies[0],
            val_acc=accuracies[1],
            test_acc=accuracies[2],
            grad_norms=so_far.grad_norms,
            weight_norms=weight_norms,
            seconds=so_far.seconds + perf_counter() - start,
        )
        self._remember(record)
        return record

    def _remember(self, record: EpochRecord) -> None:
        """Keep the best epoch with its weights, and count the epochs without a new best."""
        best = self.best
        is_new_best = record.val_loss < self._best_val_loss or best is None or record.val_acc > best.val_acc
        self._stale_epochs = 0 if is_new_best else self._stale_epochs + 1
        self._best_val_loss = min(self._best_val_loss, record.val_loss)
        if best is None or best.is_beaten_by(record):
            self.best = BestEpoch(record.epoch, record.val_acc, record.val_loss, record.test_acc)
            self._best_weights = {name: w.clone() for name, w in self._model.state_dict().items()}


@dataclass(slots=True)
class _EpochSoFar:
    """What the steps of an epoch have left behind; the gradient norms are those of the last step."""

    losses: list[float] = field(default_factory=list)
    grad_norms: tuple[float, ...] = ()
    seconds: float = 0.0


def _batches(
    model: Stack, graph: Graph | TorchGraph, on_device: TorchGraph, sets: NodeSets, config: TrainConfig
) -> Batches:
    if config.batch_size is not None:
        return MiniBatches(on_device, numpy_graph(graph), sets, config, model.config.num_layers)
    uses_pairs = OBJECTIVES[config.objective].uses_pairs
    return WholeGraph(on_device, sets, config, numpy_graph(graph) if uses_pairs else None)


def _num_edges(graph: Graph | TorchGraph) -> int:
    return graph.edge_index.shape[1] // 2


def _in_words(config: ModelConfig) -> str:
    heads = f" and {config.heads} heads" if config.heads > 1 else ""
    return f"{config.num_layers} layers of {config.hidden_channels} channels{heads}"
