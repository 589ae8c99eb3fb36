"""The way out: signed calls to agencies and providers, with time limits, a breaker and honest outcomes."""

from core.gateway.breaker import Breaker
from core.gateway.client import Call, Gateway, Limits, Observation
from core.gateway.errors import GatewayAnsweredWrong, GatewayUnavailable
from core.gateway.faults import FaultSwitch, FaultyTransport
from core.gateway.outcomes import Answered, Outcome, Refused, Unknown
from core.gateway.peer_keys import PeerKeys
from core.gateway.sandbox import sandbox_gateway
from core.gateway.signing import PURPOSE, city_signer
from core.gateway.transport import HttpTransport, Transport

__all__ = [
    "PURPOSE",
    "Answered",
    "Breaker",
    "Call",
    "FaultSwitch",
    "FaultyTransport",
    "Gateway",
    "GatewayAnsweredWrong",
    "GatewayUnavailable",
    "HttpTransport",
    "Limits",
    "Observation",
    "Outcome",
    "PeerKeys",
    "Refused",
    "Transport",
    "Unknown",
    "city_signer",
    "sandbox_gateway",
]
