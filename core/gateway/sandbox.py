"""A gateway to one of the agencies that the process `outside` plays."""

from __future__ import annotations

from collections.abc import Callable

from core.gateway.client import Gateway, Observation, log_observation
from core.gateway.faults import FaultSwitch, FaultyTransport
from core.gateway.peer_keys import PeerKeys
from core.gateway.signing import city_signer
from core.gateway.transport import HttpTransport


def sandbox_gateway(name: str, *, outside_url: str, production: bool, observe: Callable[[Observation], None] = log_observation) -> Gateway:
    """Signed both ways and with the faults of the line `line:<name>`; refuses production."""
    if production:
        raise ValueError(f"gateway {name}: the sandbox refuses to run in production")
    url, line = outside_url.rstrip("/"), HttpTransport()
    return Gateway(
        name=name,
        base_url=url,
        signer=city_signer,
        peer_keys=PeerKeys(f"{url}/.well-known/jwks.json", prefix=f"{name}-"),
        transport=FaultyTransport(line, FaultSwitch(url, name, HttpTransport(connections=1)), production=production),
        observe=observe,
    )
