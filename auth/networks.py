"""Networks rather than addresses are counted: one subscriber has a whole /24 or /48 to rotate through."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from core import crypto


def key(address: str) -> str:
    """A name for the network of an address under which counters lie; not the address itself, which is personal data."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    network = ip_network(f"{parsed}/{24 if parsed.version == 4 else 48}", strict=False)
    return crypto.blind("network", str(network)).hex()[:24]
