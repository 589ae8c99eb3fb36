"""Everything that a gate without network has, in one folder: who it is, its lists, and the journal of its trades."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from urllib3.exceptions import HTTPError

from citycode import IssuerKey, TrustList, key_from
from citycode.gate import Gate
from citycode.hotlist import EMPTY, Hotlist, pack, split, unpack
from citycode.journal import Journal, batch_to_sign
from citycode.signatures import sign
from command.story import proving
from command.story.till import Till
from command.story.wire import Unexpected, Wire

# A terminal that is online asks this often (docs/city-code.md), and signs in anew well before its ten minutes are over.
EVERY_SECONDS, SESSION_SECONDS = 5.0, 480.0


class GateFolder:
    """One gate on disk; ``sync`` is the only thing that needs the network."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.journal = Journal(home / "journal.jsonl")

    def settle(self, terminal: dict[str, Any], *, address: str, issuer: str) -> None:
        """Make the folder this terminal's; its key stays in it."""
        self.home.mkdir(parents=True, exist_ok=True)
        told = {"terminal": terminal["terminal"], "private_jwk": terminal["private_jwk"], "address": address, "issuer": issuer}
        self._write("terminal.json", json.dumps(told).encode())
        (self.home / "terminal.json").chmod(0o600)
        if not self.journal.uploaded:
            # A folder that is lost takes its last serial number along: a new one counts on from the millisecond at which it is made.
            self.journal.taken(time.time_ns() // 1_000_000)

    def sync(self) -> dict[str, Any]:
        """Fetch keys and hotlist, say so, and hand over what is waiting; returns what came of it."""
        till = self._till()
        till.sign_in()
        trusted = till.do("GET", "/api/terminals/trust-list")
        self._write("trust.json", json.dumps(trusted).encode())
        hotlist = self._hotlist_after(till, self.hotlist())
        results = []
        while waiting := self.journal.waiting():
            trades = [
                {"serial": trade.serial, "code": trade.code, "amount_fen": trade.amount_fen, "occurred_at": _moment(trade.occurred_at)}
                for trade in waiting
            ]
            signature = sign(till.key, batch_to_sign(till.terminal, waiting))
            results += till.do("POST", "/api/offline-trades", {"trades": trades, "signature": _text(signature)})["results"]
            self.journal.taken(waiting[-1].serial)
        return {"keys": len(trusted["keys"]), "hotlist": hotlist.version, "listed": len(hotlist.entries), "results": results}

    def watch(self, stop: threading.Event, *, every: float = EVERY_SECONDS, heard: Callable[[Hotlist], None] = lambda _: None) -> None:
        """Stay online until `stop`: ask for the hotlist every so many seconds, also while the centre is away."""
        till, known = self._till(), self.hotlist()
        heard(known)
        while not stop.wait(every):
            with suppress(HTTPError, Unexpected):
                if till.now >= till.signed_in_at + SESSION_SECONDS:
                    till.sign_in()
                known = self._hotlist_after(till, known)
                heard(known)

    def scan(self, code: str, amount_fen: int, *, now: float) -> None:
        """Accept a code without network, or raise Refused; a trade that was accepted stands in the journal."""
        rules = {"kept": self.journal.trades, "uploaded": self.journal.uploaded}
        Gate(self.trust(), self.hotlist(), keep=self.journal.keep, **rules).offer(code, amount_fen, now=int(now))  # type: ignore[arg-type]  # by name

    def trust(self) -> TrustList:
        """The issuer keys of the last sync."""
        return TrustList(_issuer_key(told) for told in json.loads((self.home / "trust.json").read_bytes())["keys"])

    def hotlist(self) -> Hotlist:
        """The hotlist of the last sync."""
        path = self.home / "hotlist.bin"
        return unpack(path.read_bytes()) if path.exists() else EMPTY

    def ahead(self) -> float:
        """How far the platform's clock was ahead at the last sync, in seconds."""
        path = self.home / "clock.json"
        return float(json.loads(path.read_bytes())) if path.exists() else 0.0

    def _hotlist_after(self, till: Till, known: Hotlist) -> Hotlist:
        told = till.do("GET", f"/api/hotlist?since={known.version}")
        before = EMPTY if told["full"] else known
        made_at = int(dt.datetime.fromisoformat(told["made_at"]).timestamp())
        added, removed = split(proving.b64(told["added"])), split(proving.b64(told["removed"]))
        hotlist = before.after(version=told["version"], made_at=made_at, added=added, removed=removed)
        self._write("hotlist.bin", pack(hotlist))
        self._write("clock.json", json.dumps(till.ahead).encode())
        till.do("POST", "/api/hotlist/acknowledgements", {"version": hotlist.version})
        return hotlist

    def _till(self) -> Till:
        told = json.loads((self.home / "terminal.json").read_bytes())
        key = proving.read_key(told["private_jwk"])
        return Till(Wire(told["address"]), terminal=told["terminal"], key=key, issuer=told["issuer"])

    def _write(self, name: str, data: bytes) -> None:
        """Whole or not at all: a gate that loses power keeps its last lists."""
        half = self.home / f".{name}"
        with half.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.replace(self.home / name)


def _issuer_key(told: dict[str, Any]) -> IssuerKey:
    x, y = proving.b64(told["public_jwk"]["x"]), proving.b64(told["public_jwk"]["y"])
    ends_at = None if told["ends_at"] is None else _seconds(told["ends_at"])
    return IssuerKey(bytes.fromhex(told["key_id"]), key_from(x, bool(y[-1] & 1)), _seconds(told["starts_at"]), ends_at)


def _seconds(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp())


def _moment(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
