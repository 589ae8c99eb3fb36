"""Frozen: one ES256 signature over a token of usual length, checked by `cryptography` alone."""

import time
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

MESSAGE = b"x" * 420


def checker() -> Callable[[], None]:
    """A call that verifies one signature and does nothing else."""
    private = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(hashes.SHA256())
    signature = private.sign(MESSAGE, algorithm)
    public = private.public_key()
    return lambda: public.verify(signature, MESSAGE, algorithm)


def cpu_us(call: Callable[[], None], seconds: float) -> tuple[int, float]:
    """How often `call` ran within `seconds` and the CPU microseconds of one."""
    count, until, before = 0, time.perf_counter() + seconds, time.process_time()
    while time.perf_counter() < until:
        for _ in range(50):
            call()
        count += 50
    return count, (time.process_time() - before) / count * 1e6
