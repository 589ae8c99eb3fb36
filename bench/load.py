"""A load client over raw keep-alive sockets: sends prepared requests as they are and costs a few microseconds each."""

import gc
import select
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

Address = tuple[str, int]
_LENGTH = b"content-length: "
_SILENCE = 30.0  # seconds without any answer after which the server counts as hanging


@dataclass(slots=True)
class Answers:
    """What came back: how often each status, how long each took, and the bodies that were asked for."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    bodies: list[tuple[int, int, bytes]] = field(default_factory=list)  # number of the request, status, body

    @property
    def count(self) -> int:
        """Answers received, of whatever status."""
        return len(self.waits)

    def wait_ms(self, share: float) -> float:
        """The wait in milliseconds that `share` of the requests did not exceed."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3 if ordered else 0.0


@dataclass(slots=True)
class _Line:
    """One connection: the request under way and the bytes of its answer so far."""

    wire: socket.socket
    number: int = 0
    sent_at: float = 0.0
    got: bytes = b""


class ServerSilent(Exception):
    """The server closed a connection or stopped answering in the middle of a run."""


def request(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """The bytes of one HTTP/1.1 request with keep-alive."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def complete(got: bytes) -> int:
    """The end of the first whole answer in `got`, or 0 while some of it is missing."""
    head = got.find(b"\r\n\r\n")
    if head < 0:
        return 0
    at = got.find(_LENGTH, 0, head)
    if at < 0:
        at = got.lower().find(_LENGTH, 0, head)
    if at < 0:
        return head + 4
    end = head + 4 + int(got[at + len(_LENGTH) : got.find(b"\r", at)])
    return end if len(got) >= end else 0


def drive(address: Address, requests: Sequence[bytes], *, connections: int, seconds: float, keep: int = 0) -> Answers:
    """Sends `requests` in order, one at a time per connection, for `seconds` or until all are answered.

    Keeps the first `keep` bodies whose status is not 2xx, so that a failed run can say why.
    """
    answers, pending = Answers(), enumerate(requests)
    poll, lines = select.epoll(), {}
    gc_was_on = gc.isenabled()
    gc.disable()
    started = time.perf_counter()
    try:
        for number, wanted in islice(pending, connections):
            wire = socket.create_connection(address, timeout=_SILENCE)
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = lines[wire.fileno()] = _Line(wire, number)
            poll.register(wire.fileno(), select.EPOLLIN)
            line.sent_at = time.perf_counter()
            wire.sendall(wanted)
        _pump(poll, lines, pending, answers, started + seconds, keep)
    finally:
        answers.seconds = time.perf_counter() - started
        for line in lines.values():
            line.wire.close()
        poll.close()
        if gc_was_on:
            gc.enable()
    return answers


def _pump(poll, lines, pending, answers, until, keep) -> None:  # type: ignore[no-untyped-def]
    """The hot loop: reads each answer and sends the next request on the same connection."""
    clock, statuses, waits = time.perf_counter, answers.statuses, answers.waits
    busy = len(lines)
    while busy:
        ready = poll.poll(_SILENCE)
        if not ready:
            raise ServerSilent(f"no answer within {_SILENCE:.0f} s; {answers.count} answered before")
        for number, _ in ready:
            line = lines[number]
            more = line.wire.recv(65536)
            if not more:
                raise ServerSilent(f"connection closed after {answers.count} answers")
            got = line.got + more if line.got else more
            end = complete(got)
            if not end:
                line.got = got
                continue
            now = clock()
            line.got = b""
            status = int(got[9:12])
            statuses[status] += 1
            waits.append(now - line.sent_at)
            if keep > len(answers.bodies) and status >= 300:
                answers.bodies.append((line.number, status, got[got.find(b"\r\n\r\n") + 4 : end]))
            following = next(pending, None) if now < until else None
            if following is None:
                busy -= 1
                poll.unregister(number)
            else:
                line.number = following[0]
                line.sent_at = now
                line.wire.sendall(following[1])
