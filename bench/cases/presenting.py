"""Presenting a code over HTTP, and the same route without its database call."""

from bench.ground import Ground, Taken
from bench.loaded import serve

CONNECTIONS = 48  # as many as the web has threads (docs/decisions/0016)
AT_MOST = 9_000
WARM = 300
STUBBED = "bench.limits.present_stubbed"


def present(ground: Ground, seconds: float) -> Taken:
    """All connections at once."""
    return _present(ground, seconds, CONNECTIONS)


def present_c4(ground: Ground, seconds: float) -> Taken:
    """4 connections: what a gate feels while the city is not at its limit."""
    return _present(ground, seconds, 4)


def present_stubbed(ground: Ground, seconds: float) -> Taken:
    """The limit: the same program with the one database call of this route replaced by a fixed answer."""
    loaded = ground.loaded()
    web = ground.web("stubbed", lambda: serve(loaded.installation, STUBBED, ground.home / "stubbed.log"))
    requests = loaded.presentations(loaded.fresh(int(seconds * AT_MOST) + WARM))
    return ground.http(web, requests, connections=CONNECTIONS, seconds=seconds, expect=201, warm=WARM)


def _present(ground: Ground, seconds: float, connections: int) -> Taken:
    loaded = ground.loaded()
    requests = loaded.presentations(loaded.fresh(int(seconds * AT_MOST) + WARM))
    return ground.http(loaded.web, requests, connections=connections, seconds=seconds, expect=201, warm=WARM)


CASES = {"present": present, "present_c4": present_c4, "present_stubbed": present_stubbed}
