"""HTTP message signatures (a strict subset of RFC 9421) with Content-Digest (RFC 9530).

One signature per message, labelled `city`; HMAC-SHA256 for terminals, ECDSA P-256 between systems.
Whatever is not in the subset is refused, so that two readers can never see two different messages.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from core.macs import Mac

HMAC_SHA256: Final = "hmac-sha256"
ECDSA_P256: Final = "ecdsa-p256-sha256"
MAX_AGE: Final = 60
"""Seconds that the signer's clock may be away from ours, in either direction."""

ALWAYS: Final = frozenset({"@method", "@path", "@query", "content-digest"})
_ANSWER: Final = ("@status", "content-digest", '"signature";req')
_GUARDED: Final = ("authorization", "idempotency-key")  # signed whenever they are present
_KNOWN: Final = frozenset({*ALWAYS, *_GUARDED})

_INPUT = re.compile(
    r'city=(\(([a-z@";\- ]{0,200})\);created=([1-9][0-9]{0,11})'
    r'(?:;keyid="([A-Za-z0-9._~:\-]{1,128})")?;alg="([a-z0-9\-]{1,32})"'
    r'(?:;nonce="([A-Za-z0-9_\-]{16,64})")?)'
)
_SIGNATURE = re.compile(r"city=:([A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==):")


class SignatureRefused(Exception):
    """A message whose signature is missing, malformed, stale or wrong; `reason` is stable, for logs and answers."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Headers(Protocol):
    """Header look-up by lower-case name; Flask's and urllib3's headers and a plain lower-case dict all fit."""

    def get(self, name: str, /) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of a request that can be signed; `path` and `query` as they stand on the wire."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """The parts of an answer that can be signed; it is bound to the request through the request's signature."""

    status: int
    headers: Headers
    body: bytes
    request_signature: str


@dataclass(frozen=True, slots=True)
class Signed:
    """What a verified signature said about itself."""

    keyid: str | None
    nonce: str | None
    created: int


@dataclass(frozen=True, slots=True)
class HmacKey:
    """A shared secret; signs and checks."""

    secret: bytes = field(repr=False)
    keyid: str | None = None
    alg: str = field(default=HMAC_SHA256, init=False)

    def sign(self, base: bytes) -> str:
        return base64.b64encode(Mac(self.secret).digest(base)).decode()

    def check(self, base: bytes, signature: str) -> bool:
        return hmac.compare_digest(self.sign(base), signature)


@dataclass(frozen=True, slots=True)
class EcdsaPublicKey:
    """The public half of a P-256 key; checks only."""

    public: ec.EllipticCurvePublicKey
    alg: str = field(default=ECDSA_P256, init=False)

    def check(self, base: bytes, signature: str) -> bool:
        raw = base64.b64decode(signature)
        if len(raw) != 64 or base64.b64encode(raw).decode() != signature:
            return False
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        try:
            self.public.verify(encode_dss_signature(r, s), base, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class EcdsaSigner:
    """A private P-256 key under its published key id."""

    keyid: str
    private: ec.EllipticCurvePrivateKey = field(repr=False)
    alg: str = field(default=ECDSA_P256, init=False)

    def sign(self, base: bytes) -> str:
        r, s = decode_dss_signature(self.private.sign(base, ec.ECDSA(SHA256())))
        return base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()


Key = HmacKey | EcdsaPublicKey
"""A key that can check; its algorithm is fixed, never taken from the message."""
Signer = HmacKey | EcdsaSigner
KeyFinder = Callable[[str | None], Key | None]


def content_digest(body: bytes) -> str:
    """The Content-Digest field of a body (RFC 9530, sha-256 alone)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signature_base(components: Iterable[tuple[str, str]], params: str) -> bytes:
    """The bytes that are signed (RFC 9421, 2.5): component lines in order, then the parameters as received."""
    lines = [f"{name}: {value}" for name, value in components]
    lines.append(f'"@signature-params": {params}')
    try:
        return "\n".join(lines).encode("ascii")
    except UnicodeEncodeError:
        raise SignatureRefused("signature_component_not_ascii") from None


def sign(request: Request, key: Signer, *, created: int, nonce: bool = False) -> dict[str, str]:
    """The three headers that sign a request; Authorization and Idempotency-Key are covered when they are there."""
    digest = content_digest(request.body)
    names = ["@method", "@path", "@query", "content-digest"]
    names += [name for name in _GUARDED if request.headers.get(name) is not None]
    params = _params(names, key, created, nonce)
    base = signature_base(_values(request, tuple(names), digest), params)
    return _headers(params, key.sign(base), digest)


def verify(request: Request, find_key: KeyFinder, *, now: float, max_age: int = MAX_AGE, need_nonce: bool = False) -> Signed:
    """Check a request's signature and digest; whatever is wrong raises SignatureRefused."""
    read = _read(request.headers, now, max_age)
    _require(read.names, request.headers)
    if need_nonce and read.signed.nonce is None:
        raise SignatureRefused("signature_nonce_missing")
    digest = _check_digest(request.headers, request.body)
    return _check(read, find_key, _values(request, read.names, digest))


def verify_hmac(request: Request, secret: bytes, *, now: float, max_age: int = MAX_AGE) -> Signed:
    """`verify` for the hot path: one known session secret, nothing to look up."""
    return verify(request, lambda _keyid: HmacKey(secret), now=now, max_age=max_age)


def sign_answer(answer: Answer, key: Signer, *, created: int) -> dict[str, str]:
    """The headers that sign an answer and bind it to the request it answers (RFC 9421, 2.4)."""
    digest = content_digest(answer.body)
    params = _params(_ANSWER, key, created, nonce=False)
    return _headers(params, key.sign(signature_base(_answer_values(answer, digest), params)), digest)


def verify_answer(answer: Answer, find_key: KeyFinder, *, now: float, max_age: int = MAX_AGE) -> Signed:
    """Check that an answer is whole, fresh, from who it should be, and to the very request that was sent."""
    read = _read(answer.headers, now, max_age)
    if read.names != _ANSWER:
        raise SignatureRefused("signature_component_missing")
    digest = _check_digest(answer.headers, answer.body)
    return _check(read, find_key, _answer_values(answer, digest))


def from_environ(environ: Mapping[str, Any], body: bytes, headers: Headers) -> Request:
    """The signable parts of a WSGI request; the decoded path is encoded again in the one canonical way."""
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    if not path.isascii() or not path.replace("/", "").replace("_", "").replace("-", "").isalnum():
        path = quote(path.encode("latin-1"), safe="/~!$&'()*+,;=:@")
    return Request(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers, body)


def _params(names: Iterable[str], key: Signer, created: int, nonce: bool) -> str:
    listed = " ".join(_quoted(name) for name in names)
    keyid = f';keyid="{key.keyid}"' if key.keyid is not None else ""
    once = f';nonce="{secrets.token_urlsafe(18)}"' if nonce else ""
    return f'({listed});created={created}{keyid};alg="{key.alg}"{once}'


def _headers(params: str, signature: str, digest: str) -> dict[str, str]:
    return {"Content-Digest": digest, "Signature-Input": f"city={params}", "Signature": f"city=:{signature}:"}


def _quoted(name: str) -> str:
    return name if name.startswith('"') else f'"{name}"'


@lru_cache(maxsize=256)
def _names(listed: str) -> tuple[str, ...]:
    """The component names of an inner list; names outside the subset or named twice are refused."""
    names = tuple(part if part.endswith(";req") else part[1:-1] for part in listed.split(" "))
    if " ".join(map(_quoted, names)) != listed or len(set(names)) != len(names):
        raise SignatureRefused("signature_malformed")
    if not _KNOWN.issuperset(names) and names != _ANSWER:
        raise SignatureRefused("signature_component_unknown")
    return names


class _Read(NamedTuple):
    """Both headers, parsed: `params` as received, so that the base is what the signer signed."""

    names: tuple[str, ...]
    params: str
    signature: str
    signed: Signed
    alg: str


def _read(headers: Headers, now: float, max_age: int) -> _Read:
    given, value = headers.get("signature-input"), headers.get("signature")
    if given is None or value is None:
        raise SignatureRefused("signature_missing")
    said, signature = _INPUT.fullmatch(given), _SIGNATURE.fullmatch(value)
    if said is None or signature is None:
        raise SignatureRefused("signature_malformed")
    params, listed, created, keyid, alg, nonce = said.groups()
    if not -max_age <= now - int(created) <= max_age:
        raise SignatureRefused("signature_stale")
    return _Read(_names(listed), params, signature[1], Signed(keyid, nonce, int(created)), alg)


def _require(names: tuple[str, ...], headers: Headers) -> None:
    if not ALWAYS.issubset(names):
        raise SignatureRefused("signature_component_missing")
    for name in _GUARDED:
        if (headers.get(name) is not None) != (name in names):
            raise SignatureRefused("signature_component_missing")


def _check_digest(headers: Headers, body: bytes) -> str:
    digest = content_digest(body)
    if headers.get("content-digest") != digest:
        raise SignatureRefused("content_digest_wrong")
    return digest


def _values(request: Request, names: tuple[str, ...], digest: str) -> list[tuple[str, str]]:
    own = {
        "@method": request.method,
        "@path": request.path or "/",
        "@query": f"?{request.query}",
        "content-digest": digest,
    }
    return [(f'"{name}"', own.get(name) or _header(request.headers, name)) for name in names]


def _header(headers: Headers, name: str) -> str:
    value = (headers.get(name) or "").strip(" \t")
    if "\n" in value or "\r" in value:
        raise SignatureRefused("signature_malformed")
    return value


def _answer_values(answer: Answer, digest: str) -> list[tuple[str, str]]:
    values = (str(answer.status), digest, answer.request_signature)
    return [(_quoted(name), value) for name, value in zip(_ANSWER, values, strict=True)]


def _check(read: _Read, find_key: KeyFinder, values: list[tuple[str, str]]) -> Signed:
    key = find_key(read.signed.keyid)
    if key is None:
        raise SignatureRefused("signature_key_unknown")
    if read.alg != key.alg:
        raise SignatureRefused("signature_algorithm_wrong")
    if not key.check(signature_base(values, read.params), read.signature):
        raise SignatureRefused("signature_wrong")
    return read.signed
