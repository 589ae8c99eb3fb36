"""Bytes to another system and back: pooled, bounded in time and size, never redirected, never through a proxy."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    EmptyPoolError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)

# Raised before a byte of the request has left: the other system cannot have done anything.
_BEFORE_SENDING = (ConnectTimeoutError, EmptyPoolError, NameResolutionError, NewConnectionError, SSLError)
_PIECE = 16 * 1024


class NotSent(Exception):
    """The request has surely not arrived."""


class MaybeDone(Exception):
    """The request may have arrived and been done; its answer did not come back whole."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it goes on the wire."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for the connection, for each wait on the socket and for all of it; bytes of answer at most."""

    connect: float
    read: float
    total: float
    answer_bytes: int


class Transport(Protocol):
    """Sends one request once; raises NotSent or MaybeDone."""

    def send(self, request: Outgoing, patience: Patience) -> Incoming: ...


class HttpTransport:
    """urllib3 with a small blocking pool: a slow agency can hold `connections` of our threads and no more."""

    def __init__(self, *, connections: int = 4, ca_file: str | None = None) -> None:
        self._pool = urllib3.PoolManager(
            num_pools=2, maxsize=connections, block=True, retries=False, cert_reqs="CERT_REQUIRED", ca_certs=ca_file
        )

    def send(self, request: Outgoing, patience: Patience) -> Incoming:
        deadline = time.monotonic() + patience.total
        try:
            response = self._pool.request(
                request.method,
                request.url,
                body=request.body,
                headers={**request.headers, "Accept-Encoding": "identity"},
                timeout=urllib3.Timeout(connect=min(patience.connect, patience.total), read=patience.read, total=patience.total),
                pool_timeout=patience.connect,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
        except _BEFORE_SENDING as fault:
            raise NotSent(type(fault).__name__) from fault
        except (HTTPError, OSError) as fault:
            raise MaybeDone(type(fault).__name__) from fault
        return _whole(response, deadline, patience.answer_bytes)


def _whole(response: urllib3.BaseHTTPResponse, deadline: float, limit: int) -> Incoming:
    """Read to the end within time and size; a connection that was not read to its end is closed, not reused."""
    pieces, size = [], 0
    try:
        while piece := response.read1(_PIECE):
            size += len(piece)
            if size > limit:
                raise MaybeDone("answer_too_large")
            if time.monotonic() > deadline:
                raise MaybeDone("answer_too_slow")
            pieces.append(piece)
    except (HTTPError, OSError) as fault:
        response.close()
        raise MaybeDone(type(fault).__name__) from fault
    except MaybeDone:
        response.close()
        raise
    response.release_conn()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Incoming(response.status, headers, b"".join(pieces))
