"""What the remedies for depth compute: norms, residuals, jumping knowledge, initial weights.

`gnnviz.stack` puts them between its layers as `gnnviz.remedies.Remedies` says. Knows no layer and no graph.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gnnviz.remedies import Initialisation, Jumping, Norm, Remedies

# Mean squares below this are not scaled up any further: a zero state stays zero, and no gradient grows
# by more than 10^6 where all nodes are equal but for rounding.
SMALLEST_SQUARE = 1e-12


class PairNorm(nn.Module):
    """The state minus its mean over the nodes, scaled: all nodes, or each node, have a fixed length.

    All nodes: s x / sqrt(mean of |x_i|^2), so that the sum of all squared distances between nodes is
    the same after every layer. Each node: s x_i / |x_i|. A state without any spread becomes zero.

    Args:
        scale: s, above 0.
        each_node: whether each row is scaled by its own length ("scale individually").

    Reference: Zhao & Akoglu, ICLR 2020, eq. 10 and 11; section 4.3 (each node).
    Differs: lengths below 10^-6 are taken for 10^-6, where the authors' code adds 10^-6 to all squares.
    """

    def __init__(self, scale: float = 1.0, each_node: bool = False) -> None:
        super().__init__()
        self.scale, self.each_node = scale, each_node

    def forward(self, x: Tensor) -> Tensor:
        """Return [N, channels] from x [N, channels]."""
        centred = x - x.mean(dim=0)
        squares = centred.square().sum(dim=1, keepdim=True)  # [N, 1]
        if not self.each_node:
            squares = squares.mean()
        return centred * squares.clamp_min(SMALLEST_SQUARE).rsqrt().mul(self.scale)


class BatchNorm(nn.BatchNorm1d):
    """Each channel with mean 0 and variance 1 over the nodes, times a weight, plus a bias.

    While training over the nodes at hand; in evaluation by the running mean and variance. A single
    node has no variance: it is scaled by the running ones while training, too.

    Reference: Ioffe & Szegedy, ICML 2015, algorithm 1 and 2.
    """

    def forward(self, input: Tensor) -> Tensor:  # the name is torch's
        """Return [N, channels] from [N, channels]."""
        if len(input) > 1:
            return super().forward(input)
        return F.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self.eps
        )


class Jump:
    """Takes the hidden states in order, and makes of them what the head is given.

    Keeps no more than that needs: all states for "concat", one for "max" and for "none".

    Args:
        form: "concat": all states side by side; "max": their greatest value, channel by channel;
            "none": the last one.

    Reference: Xu, Li, Tian, Sonobe, Kawarabayashi & Jegelka, ICML 2018, section 4.
    """

    def __init__(self, form: Jumping) -> None:
        self._form: Jumping = form
        self._states: list[Tensor] = []

    def take(self, h: Tensor) -> None:
        """Take the next state [n, H]; of those before it, only the first n nodes count from now on."""
        if self._form == "concat":
            self._states.append(h)
        elif self._form == "max" and self._states:
            self._states = [torch.maximum(first_rows(self._states[0], len(h)), h)]
        else:
            self._states = [h]

    def result(self) -> Tensor:
        """Return [n, H], or [n, L * H] side by side, for the n nodes of the last state."""
        if len(self._states) == 1:
            return self._states[0]
        nodes = len(self._states[-1])
        return torch.cat([first_rows(h, nodes) for h in self._states], dim=1)


def with_residual(h: Tensor, previous: Tensor | None, first: Tensor | None, remedies: Remedies) -> Tensor:
    """Return a layer's output after the residual.

    Args:
        h: the layer's activated output [n, H].
        previous: the hidden state that it was made from, n rows or more, or None if those were features.
            "plain" adds it.
        first: the first hidden state, n rows or more, or None if that is `h`. "initial" returns
            (1 - share) h + share first.
        remedies: which of the two, and the share.

    Reference: He, Zhang, Ren & Sun, CVPR 2016, eq. 1; Chen, Wei, Huang, Ding & Li, ICML 2020, eq. 5.
    """
    if remedies.residual == "plain" and previous is not None:
        return h + first_rows(previous, len(h))
    if remedies.residual == "initial" and first is not None:
        return torch.lerp(h, first_rows(first, len(h)), remedies.residual_share)
    return h


def first_rows(h: Tensor, count: int) -> Tensor:
    """Return the first `count` rows, which is `h` itself where it has no more."""
    return h if len(h) == count else h[:count]


def make_norm(norm: Norm, channels: int, scale: float) -> nn.Module:
    """Return one hidden layer's norm; the identity for "none".

    Args:
        norm: which.
        channels: width of the hidden layer.
        scale: PairNorm's s.
    """
    if norm == "batch":
        return BatchNorm(channels)
    if norm == "layer":
        return nn.LayerNorm(channels)
    return nn.Identity() if norm == "none" else PairNorm(scale, each_node=norm == "pair_si")


@torch.no_grad()
def initialise(module: nn.Module, init: Initialisation) -> None:
    """Draw all weight matrices of a module anew; "default" leaves them as the layers made them.

    Biases, norms and attention vectors are no matrices and stay as they are.

    Args:
        module: any; its two-dimensional parameters are [outputs, inputs].
        init: "glorot": uniform, variance 2 / (inputs + outputs); "he": normal, variance 2 / inputs.

    Reference: Glorot & Bengio, AISTATS 2010, eq. 16; He, Zhang, Ren & Sun, ICCV 2015, eq. 10.
    """
    if init == "default":
        return
    for parameter in module.parameters():
        if parameter.ndim == 2:
            if init == "glorot":
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.kaiming_normal_(parameter, nonlinearity="relu")
