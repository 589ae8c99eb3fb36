"""Where a webhook may go: https at a public host name, and from there only to a public address (threat 19).

The address in a URL is chosen by somebody else, so each step is an allow-list: the form of the URL, the form of the name, and, after the
name was resolved, the network of every address it has.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

PORTS = frozenset({443, 8443})
LONGEST = 400
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
# At least two labels, and a last one that is no number: no way of writing an IP address has this form.
_NAME = re.compile(rf"(?:{_LABEL}\.)+(?!xn---)(?=[a-z])[a-z0-9-]{{1,62}}[a-z0-9]")
_INSIDE = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "corp", "home", "private", "onion", "arpa", "svc", "invalid")
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})

# IANA special-purpose address registries (RFC 6890) and what tunnels to them.
_V4_REFUSED = tuple(
    ipaddress.IPv4Network(net)
    for net in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"),
        *("192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # Public by number, and inside by use: metadata and platform services of clouds.
        *("100.100.100.200/32", "168.63.129.16/32"),
    )
)
_V6_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
_V6_REFUSED = tuple(
    ipaddress.IPv6Network(net)
    for net in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)  # fmt: skip


class Refused(Exception):
    """Nothing is sent there; the reason is stable and safe to print."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A checked URL, in parts."""

    host: str
    port: int
    target: str
    secure: bool

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        usual = 443 if self.secure else 80
        return self.host if self.port == usual else f"{self.host}:{self.port}"


def destination(url: str, *, loopback: bool = False) -> Destination:
    """The parts of a URL to which a webhook may go; Refused otherwise. ``loopback`` also takes plain http on this machine."""
    if not url.isascii() or len(url) > LONGEST or re.search(r"[\x00-\x20\x7f\\\"'<>^`{|}#@]", url):
        raise Refused("form")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as fault:
        raise Refused("form") from fault
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if loopback and parts.scheme == "http" and host in _LOOPBACK:
        return Destination(host, 80 if port is None else port, target, secure=False)
    if parts.scheme != "https":
        raise Refused("scheme")
    port = 443 if port is None else port
    if parts.netloc.endswith(":") or port not in PORTS:
        raise Refused("port")
    if len(host) > 253 or not _NAME.fullmatch(host) or host.rpartition(".")[2] in _INSIDE:
        raise Refused("host")
    return Destination(host, port, target, secure=True)


def public(address: str) -> bool:
    """Whether an address belongs to the open internet; every form that leads elsewhere is refused."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast and not any(found in net for net in _V4_REFUSED)
    # Mapped, compatible, NAT64, unique local, link-local and multicast addresses all lie outside 2000::/3.
    plain = found.scope_id is None and found in _V6_GIVEN_OUT and found.is_global
    return plain and not any(found in net for net in _V6_REFUSED)


def chosen(addresses: list[str], *, loopback: bool = False) -> str:
    """The address to connect to; Refused if there is none, or if a single one of them is not allowed."""
    allowed = all(ipaddress.ip_address(each).is_loopback for each in addresses) if loopback else all(map(public, addresses))
    if not addresses or not allowed:
        raise Refused("address")
    return addresses[0]
