"""What a new cluster tells the app that started it, over a file that only its owner can read."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from gnnviz.config import DeviceType
from gnnviz.run_status import Owner


@dataclass(frozen=True, slots=True)
class Offer:
    """What a cluster can do.

    Attributes:
        process: the process that answers for the runs: the scheduler's.
        devices: kinds of device that runs can train on, the preferred one first.
        train_workers: runs that train at a time, 1 or more.
        threads: torch's threads for each of them, 1 or more.
    """

    process: Owner
    devices: tuple[DeviceType, ...]
    train_workers: int
    threads: int


@dataclass(frozen=True, slots=True)
class Announcement:
    """How to reach a cluster that is up, and what it can do.

    Attributes:
        address: of the scheduler, "tls://127.0.0.1:PORT".
        certificate: the cluster's temporary certificate, PEM text; it is its own authority.
        key: the private key to it, PEM text: whoever holds it can run code on the cluster.
        offer: what the cluster can do.
    """

    address: str
    certificate: str
    key: str
    offer: Offer

    def write(self, path: Path) -> None:
        """Write the file under a temporary name, readable by its owner only, and put it in place.

        Raises:
            OSError: the folder is missing, or the disk refused.
        """
        temporary = path.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            json.dump(asdict(self), file)
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> Announcement:
        """Return what `write` wrote.

        Raises:
            OSError: the file is missing or cannot be read.
        """
        values = json.loads(path.read_text())
        offer = values["offer"]
        offer = Offer(**{**offer, "process": Owner(**offer["process"]), "devices": tuple(offer["devices"])})
        return cls(**{**values, "offer": offer})
