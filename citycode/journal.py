"""A gate's own record of its trades: a file that only grows, forced to the disk before the gate opens, signed when it is uploaded."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from citycode import cbor
from citycode.gate import Trade
from citycode.making import Signer
from citycode.signatures import lower_raw

MOST_IN_BATCH: Final = 100


class Journal:
    """The file of one gate. A line that was cut off by a power failure belongs to a trade that never opened the gate."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trades: list[Trade] = []
        self.uploaded = 0
        self._read()

    def keep(self, trade: Trade) -> None:
        """Store a trade; on the disk when this returns."""
        told = {**trade._asdict(), "id": trade.id.hex()}
        self._append(told)
        self.trades.append(trade)

    def taken(self, serial: int) -> None:
        """The centre has answered for every trade up to this one."""
        self._append({"uploaded": serial})
        self.uploaded = max(self.uploaded, serial)

    def waiting(self) -> list[Trade]:
        """The next batch to upload, oldest first."""
        return [trade for trade in self.trades if trade.serial > self.uploaded][:MOST_IN_BATCH]

    def _read(self) -> None:
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.truncate(self.path, len(whole))
        for line in whole.splitlines():
            self._take(json.loads(line))

    def _take(self, told: dict[str, Any]) -> None:
        if "uploaded" in told:
            self.uploaded = max(self.uploaded, told["uploaded"])
        else:
            self.trades.append(Trade(**{**told, "id": bytes.fromhex(told["id"])}))

    def _append(self, told: dict[str, Any]) -> None:
        with self.path.open("ab") as file:
            file.write(json.dumps(told, separators=(",", ":")).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def batch_to_sign(terminal: str, trades: Sequence[Trade] | Sequence[tuple[int, str, int, int]]) -> bytes:
    """What a terminal signs of a batch: who it is, and serial, code, amount (fen) and time (seconds) of each trade."""
    return cbor.encode(["citycode batch 1", terminal, [list(trade[:4]) for trade in trades]])


def sign_batch(terminal: str, trades: Sequence[Trade], signer: Signer) -> bytes:
    """The terminal's signature under a batch."""
    return lower_raw(signer(batch_to_sign(terminal, trades)))
