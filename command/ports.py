"""Finding a port to listen on, and keeping it for one run among all that start on this machine."""

from __future__ import annotations

import socket
from collections.abc import Callable

import click

# Above it the system hands out ports by itself, and one of those may be taken at any moment.
HIGHEST = 32767
Release = Callable[[], None]


def reserve(host: str, first: int, *, fixed: bool) -> tuple[int, Release]:
    """`first` if it is free, else, unless it was asked for by name, the next free one; and what gives it back.

    Between the choice and the moment the web listens lie seconds, in which another run could choose the same: each holds
    a name for its port that the kernel gives to one process alone and takes back when that dies.
    Raises click.ClickException when no port is to be had.
    """
    for port in range(first, first + 1 if fixed else HIGHEST + 1):
        held = _hold(port)
        if held is None:
            continue
        if is_free(host, port):
            return port, held.close
        held.close()
    if fixed:
        raise click.ClickException(f"端口 {first} 已被占用，请换一个 · port {first} is taken, choose another: --port")
    raise click.ClickException(f"{first} 到 {HIGHEST} 没有空闲端口 · no free port from {first} to {HIGHEST}")


def _hold(port: int) -> socket.socket | None:
    held = socket.socket(socket.AF_UNIX)
    try:
        held.bind(f"\0citycard:port:{port}")
    except OSError:
        held.close()
        return None
    return held


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
