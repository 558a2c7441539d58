"""How the features of a node are scaled: the registry `NORMALISATIONS` and `normalise_rows`.

Works on rows of features, dense or sparse; knows no dataset and no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gnnviz.graph import Features


@dataclass(frozen=True, slots=True)
class NormalisationRecord:
    """What the user is told about a normalisation, and the norm that each row of x is divided by.

    Attributes:
        label: the name on screen.
        help: one line that says what is divided by what.
        norm: makes the norm of each row [N], float64, from x [N, F]; None leaves x as it is.
    """

    label: str
    help: str
    norm: Callable[[Features], NDArray[np.float64]] | None


def normalise_rows(x: Features, normalisation: str) -> Features:
    """Return features [N, F] with each row divided by its norm; rows of zeros stay as they are."""
    norm = NORMALISATIONS[normalisation].norm
    if norm is None:
        return x
    norms = norm(x)  # [N]
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    if isinstance(x, np.ndarray):
        return (x * scale[:, None]).astype(np.float32)
    return sparse.csr_array(sparse.diags_array(scale) @ x, dtype=np.float32)


def _l1_norms(x: Features) -> NDArray[np.float64]:
    return np.asarray(abs(x).sum(axis=1, dtype=np.float64))


def _l2_norms(x: Features) -> NDArray[np.float64]:
    return np.sqrt(np.asarray((x * x).sum(axis=1, dtype=np.float64)))


NORMALISATIONS: dict[str, NormalisationRecord] = {
    "none": NormalisationRecord(
        label="None",
        help="Features as they are in the data.",
        norm=None,
    ),
    "l1": NormalisationRecord(
        label="L1 per row",
        help="Each row divided by the sum of its absolute values, as Kipf & Welling do.",
        norm=_l1_norms,
    ),
    "l2": NormalisationRecord(
        label="L2 per row",
        help=(
            "Each row divided by its length, the square root of its sum of squares. The course notes' code "
            "divides by the square root of the row sum and calls it row normalisation; "
            "for binary words that is L2."
        ),
        norm=_l2_norms,
    ),
}
