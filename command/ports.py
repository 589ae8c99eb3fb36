"""Finding a port to listen on."""

from __future__ import annotations

import socket

import click

# Above it the system hands out ports by itself, and one of those may be taken at any moment.
HIGHEST = 32767


def choose(host: str, first: int, *, fixed: bool) -> int:
    """`first` if it is free, else, unless it was asked for by name, the next free one.

    Raises click.ClickException when none is.
    """
    if is_free(host, first):
        return first
    if fixed:
        raise click.ClickException(f"端口 {first} 已被占用，请换一个 · port {first} is taken, choose another: --port")
    for port in range(first + 1, HIGHEST + 1):
        if is_free(host, port):
            return port
    raise click.ClickException(f"{first} 到 {HIGHEST} 没有空闲端口 · no free port from {first} to {HIGHEST}")


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
