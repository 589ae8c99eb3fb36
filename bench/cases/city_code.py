"""The check of a city code as a gate without network does it: two signatures and all that stands around them."""

import hashlib
import time

from cryptography.hazmat.primitives.asymmetric import ec

import citycode
from bench.ground import Ground, Taken
from bench.machine import Meter
from citycode import signatures

START = 1_790_000_000 // 3600 * 3600
CODES = 200


def city_code(_ground: Ground, seconds: float) -> Taken:
    """Two hundred codes of as many one-time keys, again and again: no gate sees one twice, and nothing of them is kept."""
    issuer = ec.generate_private_key(ec.SECP256R1())
    trust = citycode.TrustList([citycode.IssuerKey(b"issuer 1", issuer.public_key(), 0)])
    codes = [_made(issuer, number) for number in range(CODES)]
    count, until, meter = 0, time.perf_counter() + min(seconds, 1.0), Meter(server=None, database=None)
    meter.start()
    while time.perf_counter() < until:
        for code in codes:
            citycode.verify(code, trust, now=START + 60)
        count += len(codes)
    meter.stop()
    return Taken(count, meter.seconds, meter)


def _made(issuer: ec.EllipticCurvePrivateKey, number: int) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    x, odd = citycode.x_and_parity(key.public_key())
    identity = hashlib.sha256(str(number).encode()).digest()[:16]
    terms = citycode.Authorisation(identity, x, odd, 0, 1_000, START, START + 86_400)
    signed = citycode.authorise(terms, key_id=b"issuer 1", signer=lambda message: signatures.sign(issuer, message))
    return citycode.make(signed, key, now=START + 60)


CASES = {"city_code": city_code}
