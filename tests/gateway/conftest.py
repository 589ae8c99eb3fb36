"""A peer that misbehaves on a real socket, byte for byte as a test says."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice

import pytest

Script = Callable[[socket.socket], None]


def says(body: bytes = b'{"result":"ok"}', *, status: int = 200, kind: str = "application/json", more: str = "") -> Script:
    """An ordinary answer."""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n"
    return lambda line: line.sendall(head.encode() + body)


def closes(line: socket.socket) -> None:
    """Takes the request and hangs up."""


def drips(line: socket.socket) -> None:
    """Sends one byte after the other, each soon enough for a naive time limit."""
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n")
    for _ in range(100):
        line.sendall(b" ")
        time.sleep(0.05)


def floods(line: socket.socket) -> None:
    """Answers without end."""
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    for _ in range(2000):
        line.sendall(b"x" * 65536)


def cuts(line: socket.socket) -> None:
    """Promises more than it sends."""
    line.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"resu')


def waits(line: socket.socket) -> None:
    """Says nothing for longer than anybody listens."""
    time.sleep(1.0)


@dataclass
class Peer:
    """Plays its scripts in turn, the last one for ever; keeps what it was sent."""

    port: int
    scripts: list[Script] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def turn(self, count: int) -> Script:
        return self.scripts[min(count, len(self.scripts)) - 1]

    def take(self, line: socket.socket) -> None:
        with line:
            line.settimeout(5)
            request = _read(line)
            self.heard.append(request)
            try:
                self.turn(len(self.heard))(line)
                line.shutdown(socket.SHUT_WR)
                line.recv(1)
            except OSError:
                return


def _read(line: socket.socket) -> bytes:
    """A whole request."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = line.recv(65536)
        if not piece:
            return got
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    lengths = [row.split(b":")[1] for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")]
    while len(body) < int(lengths[0] if lengths else 0):
        body += line.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A listening peer; its thread ends with the test."""
    with socket.socket() as door:
        for port in islice(cycle(range(21_000, 32_000, 7)), 2000):
            try:
                door.bind(("127.0.0.1", port))
                break
            except OSError:
                continue
        door.listen(16)
        door.settimeout(0.1)
        found, over = Peer(door.getsockname()[1]), threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    line, _ = door.accept()
                except TimeoutError:
                    continue
                threading.Thread(target=found.take, args=(line,), daemon=True).start()

        thread = threading.Thread(target=serve)
        thread.start()
        yield found
        over.set()
        thread.join()
