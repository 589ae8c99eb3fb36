"""`citycard sign`: what a phone and a terminal sign, made usable from curl."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import click
import urllib3

from cards.codes.pay_code import PayKey
from command.story import proving
from command.terminal_session import TerminalSession

KEY = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def sign() -> None:
    """签名工具 · what a phone and a terminal sign, for use with curl."""


@sign.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def key(file: Path) -> None:
    """Make a P-256 key in FILE (a private JWK, mode 0600) and print its public half."""
    made = proving.new_key()
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(json.dumps(proving.private_jwk(made)))
    click.echo(json.dumps(proving.public_jwk(made)))


@sign.command()
@click.argument("file", type=KEY)
def public(file: Path) -> None:
    """Print the public half of the key in FILE."""
    click.echo(json.dumps(proving.public_jwk(read(file))))


@sign.command()
@click.argument("file", type=KEY)
@click.argument("method")
@click.argument("url")
def proof(file: Path, method: str, url: str) -> None:
    """Print a DPoP proof (RFC 9449) with the key in FILE for one request: the value of the header DPoP."""
    click.echo(proving.proof(read(file), method.upper(), url, now=platform_time(url)))


@sign.command()
@click.argument("file", type=KEY)
@click.argument("terminal")
@click.argument("issuer")
def assertion(file: Path, terminal: str, issuer: str) -> None:
    """Print a terminal's sign-in assertion: the key in FILE, the terminal's id (terminal_…), the platform's address."""
    click.echo(proving.assertion(read(file), terminal, issuer, now=platform_time(issuer)))


@sign.command()
@click.argument("session", type=KEY)
@click.argument("method")
@click.argument("url")
@click.argument("body", default="")
@click.option("--idempotency-key", default="", help="the key of this operation, where the route takes one")
def request(session: Path, method: str, url: str, body: str, idempotency_key: str) -> None:
    """Print the headers of a terminal's request, a line each, for `curl -H @FILE`.

    SESSION is the answer of POST /api/terminal-sessions, BODY the exact bytes that curl will send.
    """
    told: dict[str, Any] = json.loads(session.read_text())
    path, now = urllib3.util.parse_url(url).request_uri, platform_time(url)
    signed = TerminalSession.of(told).headers(method.upper(), path, body.encode(), key=idempotency_key or None, now=now)
    for name, value in signed.items():
        click.echo(f"{name}: {value}")


@sign.command()
@click.argument("file", type=KEY)
@click.option("--tap", default=0, show_default=True, help="0 to 3: a further code within the same half minute")
@click.option("--url", default="http://localhost:8080", show_default=True, help="whose clock counts")
def code(file: Path, tap: int, url: str) -> None:
    """Print the pay code of this moment from FILE, the answer of POST /api/cards/{card}/pay-key."""
    told: dict[str, Any] = json.loads(file.read_text())
    secret, permutation = proving.b64(told["device_secret"]), proving.b64(told["permutation_key"])
    click.echo(PayKey(told["prefix"], told["handle"], secret, permutation).make(platform_time(url), tap))


@sign.command()
@click.argument("secret")
@click.option("--url", default="http://localhost:8080", show_default=True, help="whose clock counts")
def otp(secret: str, url: str) -> None:
    """Print the six digits of an authenticator app (RFC 6238) for a staff member's base32 SECRET."""
    click.echo(proving.one_time_code(secret, now=platform_time(url)))


def read(file: Path) -> proving.PrivateKey:
    """The private key in a file."""
    return proving.read_key(json.loads(file.read_text()))


def platform_time(url: str) -> float:
    """The platform's own time, which a demo may have moved; this machine's where the platform does not answer."""
    parts = urllib3.util.parse_url(url)
    try:
        told = urllib3.request("GET", f"{parts.scheme}://{parts.netloc}/healthz/live", timeout=3, retries=False)
        return dt.datetime.fromisoformat(told.json()["time"]).timestamp()
    except (urllib3.exceptions.HTTPError, ValueError, KeyError):
        return time.time()
