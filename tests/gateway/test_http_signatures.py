"""RFC 9421 and RFC 9530: the published vectors, the round trip, and every way to bend a signed message."""

from __future__ import annotations

import base64
import timeit
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from core.http_signatures import (
    Answer,
    EcdsaPublicKey,
    EcdsaSigner,
    HmacKey,
    Request,
    SignatureRefused,
    content_digest,
    from_environ,
    sign,
    sign_answer,
    signature_base,
    verify,
    verify_answer,
    verify_hmac,
)

NOW = 1_760_000_000
SECRET = b"\x01" * 32
PRIVATE = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
SIGNER = EcdsaSigner("gateway-1", PRIVATE)
PUBLIC = EcdsaPublicKey(PRIVATE.public_key())

# RFC 9421 appendix B.1.3, B.1.5, B.2.4, B.2.5 and RFC 9530 appendix B; the texts are published by the IETF Trust.
RFC_SECRET = base64.b64decode("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
RFC_P256 = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----
"""


def test_the_hmac_vector_of_rfc_9421_b_2_5() -> None:
    base = signature_base(
        [
            ('"date"', "Tue, 20 Apr 2021 02:07:55 GMT"),
            ('"@authority"', "example.com"),
            ('"content-type"', "application/json"),
        ],
        '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    )
    assert HmacKey(RFC_SECRET).sign(base) == "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8="


def test_the_ecdsa_vector_of_rfc_9421_b_2_4() -> None:
    digest = "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:"
    base = signature_base(
        [
            ('"@status"', "200"),
            ('"content-type"', "application/json"),
            ('"content-digest"', digest),
            ('"content-length"', "23"),
        ],
        '("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
    )
    key = load_pem_public_key(RFC_P256)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    published = "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw=="
    assert EcdsaPublicKey(key).check(base, published)
    assert not EcdsaPublicKey(key).check(base + b" ", published)


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        (b'{"hello": "world"}', "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"),
        (b'{"hello": "world"}\n', "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"),
        (b"", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
    ],
)
def test_the_digests_of_rfc_9530(body: bytes, digest: str) -> None:
    assert content_digest(body) == digest


def charge(**changes: object) -> Request:
    headers = {"authorization": "Bearer abc.def.ghi", "idempotency-key": "charge-0001"}
    plain = Request("POST", "/api/charges", "a=1&b=2", headers, b'{"amount_fen":1230}')
    return replace(plain, **changes)  # type: ignore[arg-type]


def signed(request: Request, key: HmacKey | EcdsaSigner, *, created: int = NOW, nonce: bool = False) -> Request:
    extra = {k.lower(): v for k, v in sign(request, key, created=created, nonce=nonce).items()}
    return replace(request, headers={**request.headers, **extra})  # type: ignore[dict-item]


def test_a_signed_request_is_accepted_and_tells_who_signed_it() -> None:
    said = verify(signed(charge(), SIGNER, nonce=True), lambda _: PUBLIC, now=NOW, need_nonce=True)
    assert (said.keyid, said.created, len(said.nonce or "")) == ("gateway-1", NOW, 24)
    assert verify_hmac(signed(charge(), HmacKey(SECRET)), SECRET, now=NOW).keyid is None


def test_the_form_on_the_wire_is_the_published_one() -> None:
    headers = sign(charge(), HmacKey(SECRET), created=NOW)
    assert headers["Signature-Input"] == (
        f'city=("@method" "@path" "@query" "content-digest" "authorization" "idempotency-key");created={NOW};alg="hmac-sha256"'
    )


def header(name: str, change: Callable[[str], str | None]) -> Callable[[Request], Request]:
    def bend(request: Request) -> Request:
        headers = dict(request.headers)  # type: ignore[call-overload]
        value = change(headers[name])
        if value is None:
            del headers[name]
        else:
            headers[name] = value
        return replace(request, headers=headers)

    return bend


def said(change: Callable[[str], str | None]) -> Callable[[Request], Request]:
    return header("signature-input", change)


def proof(change: Callable[[str], str | None]) -> Callable[[Request], Request]:
    return header("signature", change)


def flip(text: str) -> str:
    middle = len(text) // 2
    return text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :]


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


MUTATIONS: dict[str, Callable[[Request], Request]] = {
    # the message
    "method": lambda r: replace(r, method="PUT"),
    "method in lower case": lambda r: replace(r, method="post"),
    "path": lambda r: replace(r, path="/api/charges/"),
    "path case": lambda r: replace(r, path="/API/charges"),
    "path encoded": lambda r: replace(r, path="/api/%63harges"),
    "path with a dot": lambda r: replace(r, path="/api/./charges"),
    "path not ascii": lambda r: replace(r, path="/api/收费"),
    "path with a line": lambda r: replace(r, path='/api/charges\n"@query": ?a=1&b=2'),
    "query gone": lambda r: replace(r, query=""),
    "query changed": lambda r: replace(r, query="a=1&b=3"),
    "query order": lambda r: replace(r, query="b=2&a=1"),
    "query longer": lambda r: replace(r, query="a=1&b=2&"),
    "body": lambda r: replace(r, body=b'{"amount_fen":1}'),
    "body gone": lambda r: replace(r, body=b""),
    "body longer": lambda r: replace(r, body=r.body + b" "),
    "authorization": header("authorization", lambda v: v + "x"),
    "authorization gone": header("authorization", lambda _: None),
    "authorization empty": header("authorization", lambda _: ""),
    "authorization with a line": header("authorization", lambda v: v + "\nx"),
    "idempotency key": header("idempotency-key", swap("0001", "0002")),
    "idempotency key gone": header("idempotency-key", lambda _: None),
    # the digest
    "digest gone": header("content-digest", lambda _: None),
    "digest of another body": header("content-digest", lambda _: content_digest(b"x")),
    "digest bit": header("content-digest", flip),
    "digest twice": header("content-digest", lambda v: f"{v}, {v}"),
    "digest with another beside": header("content-digest", lambda v: f"sha-512=:AAAA:, {v}"),
    "digest upper case": header("content-digest", lambda v: v.upper()),
    "digest unpadded": header("content-digest", swap("=:", ":")),
    "digest with parameter": header("content-digest", lambda v: v + ";q=1"),
    "digest with space": header("content-digest", lambda v: " " + v),
    # the input
    "input gone": said(lambda _: None),
    "input empty": said(lambda _: ""),
    "input label": said(swap("city=", "sig1=")),
    "input second label": said(lambda v: f"{v}, sig1=()"),
    "input twice": said(lambda v: f"{v}, {v}"),
    "input space before": said(lambda v: " " + v),
    "input space after": said(lambda v: v + " "),
    "input newline after": said(lambda v: v + "\n"),
    "input component dropped": said(swap('"@query" ', "")),
    "input digest dropped": said(swap(' "content-digest"', "")),
    "input authorization dropped": said(swap(' "authorization"', "")),
    "input key dropped": said(swap(' "idempotency-key"', "")),
    "input component twice": said(swap('"@method"', '"@method" "@method"')),
    "input component order": said(swap('"@method" "@path"', '"@path" "@method"')),
    "input component unknown": said(swap('"@method"', '"@authority" "@method"')),
    "input component header": said(swap('"@method"', '"cookie" "@method"')),
    "input component parameter": said(swap('"@path"', '"@path";req')),
    "input two spaces": said(swap('" "', '"  "')),
    "input no components": said(lambda v: "city=()" + v[v.index(";created") :]),
    "input answer's components": said(lambda v: 'city=("@status" "content-digest" "signature";req)' + v[v.index(";created") :]),
    "input unquoted": said(swap('"@method"', "@method")),
    "input created missing": said(swap(f";created={NOW}", "")),
    "input created later": said(swap(str(NOW), str(NOW + 1))),
    "input created old": said(swap(str(NOW), str(NOW - 61))),
    "input created ahead": said(swap(str(NOW), str(NOW + 61))),
    "input created negative": said(swap(str(NOW), f"-{NOW}")),
    "input created zero before": said(swap(str(NOW), f"0{NOW}")),
    "input created decimal": said(swap(str(NOW), f"{NOW}.0")),
    "input created huge": said(swap(str(NOW), "9" * 400)),
    "input created full width": said(swap(str(NOW), "１７６００００００")),
    "input created twice": said(lambda v: f"{v};created={NOW}"),
    "input alg none": said(lambda v: v.replace("hmac-sha256", "none").replace("ecdsa-p256-sha256", "none")),
    "input alg missing": said(lambda v: v[: v.index(";alg")]),
    "input alg other": said(lambda v: v.replace("ecdsa-p256-sha256", "x").replace("hmac", "ecdsa-p256")),
    "input expires": said(lambda v: f"{v};expires={NOW + 1}"),
    "input tag": said(lambda v: f'{v};tag="x"'),
    "input keyid added": said(swap(";alg", ';keyid="other";alg')),
    "input keyid hostile": said(swap(";alg", ';keyid="../../x\\"";alg')),
    "input nonce added": said(lambda v: v + ';nonce="0123456789abcdef0123"'),
    "input nonce short": said(lambda v: v + ';nonce="1"'),
    "input parameter order": said(lambda v: v.replace(f";created={NOW}", "") + f";created={NOW}"),
    "input huge": said(lambda v: v + ";x=1" * 5000),
    # the signature
    "signature gone": proof(lambda _: None),
    "signature empty": proof(lambda _: ""),
    "signature of nothing": proof(lambda _: "city=::"),
    "signature bit": proof(flip),
    "signature label": proof(swap("city", "sig1")),
    "signature twice": proof(lambda v: f"{v}, {v}"),
    "signature second label": proof(lambda v: f"{v}, sig1=:AAAA:"),
    "signature not in colons": proof(lambda v: v.replace(":", "")),
    "signature unpadded": proof(lambda v: v.replace("=:", ":") if v.endswith("=:") else v),
    "signature url alphabet": proof(lambda v: v[:10] + "-_" + v[12:]),
    "signature with space": proof(lambda v: v[:20] + " " + v[20:]),
    "signature of zeros": proof(lambda v: f"city=:{base64.b64encode(bytes(64 if len(v) > 60 else 32)).decode()}:"),
    "signature last bits": proof(lambda v: v[:-4] + chr(ord(v[-4]) ^ 1) + v[-3:] if v.endswith("==:") else flip(v)),
}


@pytest.mark.parametrize("key", [HmacKey(SECRET), SIGNER], ids=["hmac", "ecdsa"])
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_bent_message_is_refused(name: str, key: HmacKey | EcdsaSigner) -> None:
    checker = key if isinstance(key, HmacKey) else PUBLIC
    whole = signed(charge(), key)
    assert verify(whole, lambda _: checker, now=NOW)
    with pytest.raises(SignatureRefused) as refusal:
        verify(MUTATIONS[name](whole), lambda _: checker, now=NOW)
    assert refusal.value.reason.startswith(("signature_", "content_digest_"))


def test_there_are_enough_mutations() -> None:
    assert len(MUTATIONS) >= 60


def test_a_public_key_is_never_taken_as_a_shared_secret() -> None:
    forged = signed(charge(), HmacKey(b"the public key's bytes"))
    with pytest.raises(SignatureRefused, match="algorithm"):
        verify(forged, lambda _: PUBLIC, now=NOW)


def test_another_key_is_refused_and_an_unknown_one_too() -> None:
    other = EcdsaPublicKey(ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(SignatureRefused, match="signature_wrong"):
        verify(signed(charge(), SIGNER), lambda _: other, now=NOW)
    with pytest.raises(SignatureRefused, match="unknown"):
        verify(signed(charge(), SIGNER), lambda _: None, now=NOW)


def test_a_header_that_is_added_after_signing_is_refused() -> None:
    bare = signed(charge(headers={}), HmacKey(SECRET))
    assert verify_hmac(bare, SECRET, now=NOW)
    late = replace(bare, headers={**bare.headers, "authorization": "Bearer stolen"})  # type: ignore[dict-item]
    with pytest.raises(SignatureRefused, match="component"):
        verify_hmac(late, SECRET, now=NOW)


def test_the_window_is_a_minute_each_way() -> None:
    request = signed(charge(), HmacKey(SECRET))
    for now in (NOW - 60, NOW + 60):
        assert verify_hmac(request, SECRET, now=now)
    for now in (NOW - 61, NOW + 61):
        with pytest.raises(SignatureRefused, match="stale"):
            verify_hmac(request, SECRET, now=now)


def test_a_nonce_can_be_demanded() -> None:
    with pytest.raises(SignatureRefused, match="nonce"):
        verify(signed(charge(), SIGNER), lambda _: PUBLIC, now=NOW, need_nonce=True)


def answer(**changes: object) -> Answer:
    plain = Answer(200, {}, b'{"result":"match"}', "city=:request:")
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_an_answer_is_bound_to_its_request_its_status_and_its_body() -> None:
    headers = {k.lower(): v for k, v in sign_answer(answer(), SIGNER, created=NOW).items()}
    whole = answer(headers=headers)
    assert verify_answer(whole, lambda _: PUBLIC, now=NOW).keyid == "gateway-1"
    for change in ({"status": 201}, {"body": b"{}"}, {"request_signature": "city=:other:"}):
        with pytest.raises(SignatureRefused):
            verify_answer(replace(whole, **change), lambda _: PUBLIC, now=NOW)  # type: ignore[arg-type]


def test_a_request_is_not_taken_for_an_answer_nor_an_answer_for_a_request() -> None:
    request = signed(charge(), SIGNER)
    with pytest.raises(SignatureRefused, match="component"):
        verify_answer(Answer(200, request.headers, request.body, ""), lambda _: PUBLIC, now=NOW)


@pytest.mark.parametrize(
    ("info", "wire"),
    [
        ("/api/charges/charge_01ABC", "/api/charges/charge_01ABC"),
        ("/.well-known/jwks.json", "/.well-known/jwks.json"),
        ("/a b", "/a%20b"),
        ("/收".encode().decode("latin-1"), "/%E6%94%B6"),
    ],
)
def test_the_path_of_a_wsgi_request_is_encoded_again(info: str, wire: str) -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": info, "QUERY_STRING": "a=1"}
    request = from_environ(environ, b"", {})
    assert (request.path, request.query) == (wire, "a=1")


def test_checking_an_hmac_is_cheap() -> None:
    request = signed(charge(), HmacKey(SECRET))
    spent = min(timeit.repeat(lambda: verify_hmac(request, SECRET, now=NOW), number=2000, repeat=5)) / 2000
    print(f"verify_hmac: {spent * 1e6:.1f} µs")  # noqa: T201  reported, never judged
