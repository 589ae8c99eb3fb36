"""The gateway against peers that are slow, huge, broken, forged or gone."""

from __future__ import annotations

import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from marshmallow import Schema, fields

from core.gateway import (
    Answered,
    Breaker,
    Call,
    Gateway,
    GatewayAnsweredWrong,
    GatewayUnavailable,
    HttpTransport,
    Limits,
    Observation,
    Refused,
    Unknown,
)
from core.gateway.breaker import BreakerState
from core.http_signatures import EcdsaPublicKey, EcdsaSigner, Request, verify
from tests.gateway.conftest import Peer, Script, closes, cuts, drips, floods, says, waits

PRIVATE = ec.generate_private_key(ec.SECP256R1())
QUICK = Limits(connect=0.3, read=0.3, total=0.6, answer_bytes=4096, attempts=3)


class Result(Schema):
    result = fields.String(required=True)


def gateway(url: str, **changes: Any) -> Gateway:
    given: dict[str, Any] = {
        "signer": lambda: EcdsaSigner("us", PRIVATE),
        "limits": QUICK,
        "transport": HttpTransport(),
        "breaker": Breaker(failures=100),
        "sleep": lambda _seconds: None,
        **changes,
    }
    return Gateway(name="police", base_url=url, **given)


QUESTION = Call(operation="look", method="GET", path="/look", gives=Result)
ORDER = Call(operation="do", method="POST", path="/do", gives=Result, body={"amount_fen": 1})
KEYED = Call(operation="do", method="POST", path="/do", gives=Result, body={"amount_fen": 1}, idempotency_key="k1")


def test_a_good_answer_is_answered_and_additions_are_ignored(peer: Peer) -> None:
    peer.scripts = [says(b'{"result":"ok","new":1}')]
    assert gateway(peer.url).send(ORDER) == Answered({"result": "ok"}, 200)


def test_what_goes_out_is_signed(peer: Peer) -> None:
    peer.scripts = [says()]
    gateway(f"{peer.url}/v2").send(Call(operation="x", method="POST", path="/do", gives=Result, query="a=1", body={"b": 2}))
    head, _, body = peer.heard[0].decode().partition("\r\n\r\n")
    first, *rest = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    assert first == "POST /v2/do?a=1 HTTP/1.1"
    said = verify(
        Request("POST", "/v2/do", "a=1", headers, body.encode()),
        lambda _: EcdsaPublicKey(PRIVATE.public_key()),
        now=time.time(),
        need_nonce=True,
    )
    assert said.keyid == "us"


def test_a_refusal_carries_the_other_sides_code(peer: Peer) -> None:
    peer.scripts = [says(b'{"code":"no_money"}', status=409)]
    assert gateway(peer.url).send(ORDER) == Refused("no_money", 409)


def test_a_refusal_after_an_attempt_that_may_have_been_done_says_so(peer: Peer) -> None:
    peer.scripts = [closes, says(b'{"code":"no_money"}', status=409)]
    assert gateway(peer.url, limits=Limits(total=3)).send(KEYED) == Refused("no_money", 409, in_doubt=True)


@pytest.mark.parametrize("body", [b"", b"{", b'"x"', b'{"code":7}', b'{"code":"NO <b>"}', b"[" * 3000])
def test_a_refusal_without_a_good_code_is_still_one(peer: Peer, body: bytes) -> None:
    peer.scripts = [says(body, status=422)]
    assert gateway(peer.url).send(ORDER) == Refused("refused", 422)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (closes, "ProtocolError"),
        (cuts, "ProtocolError"),
        (waits, "ReadTimeoutError"),
        (floods, "answer_too_large"),
        (drips, "answer_too_slow"),
        (says(b"x" * 5000), "answer_too_large"),
        (says(b"", status=500), "status_500"),
        (says(b"", status=503), "status_503"),
        (says(b"", status=408), "status_408"),
        (says(b"", status=302, more="Location: http://169.254.169.254/\r\n"), "answer_status_302"),
        (says(b"ok", kind="text/html"), "answer_wrong_type"),
        (says(b""), "answer_wrong_shape"),
        (says(b"{"), "answer_wrong_shape"),
        (says(b"null"), "answer_wrong_shape"),
        (says(b"[]"), "answer_wrong_shape"),
        (says(b'{"result":1}'), "answer_wrong_shape"),
        (says(b'{"result":null}'), "answer_wrong_shape"),
        (says(b'{"other":"ok"}'), "answer_wrong_shape"),
        (says(b"\xff\xfe"), "answer_wrong_shape"),
        (says(b"[" * 4000), "answer_wrong_shape"),
        (says(b'{"result":NaN}'), "answer_wrong_shape"),
        (says(b'{"result":"\x1f\x8b"}', more="Content-Encoding: gzip\r\n"), "answer_wrong_shape"),
        (lambda line: line.sendall(b"SSH-2.0-x\r\n"), "ProtocolError"),
    ],
)
def test_what_is_not_surely_an_answer_is_unknown(peer: Peer, script: Script, reason: str) -> None:
    peer.scripts = [script]
    started = time.monotonic()
    assert gateway(peer.url).send(ORDER) == Unknown(reason)
    assert time.monotonic() - started < 2
    assert len(peer.heard) == 1


def test_a_question_that_cannot_be_answered_raises(peer: Peer) -> None:
    peer.scripts = [says(b"", status=500)]
    with pytest.raises(GatewayUnavailable):
        gateway(peer.url).ask(QUESTION)
    peer.scripts = [says(b"{")]
    with pytest.raises(GatewayAnsweredWrong):
        gateway(peer.url).ask(QUESTION)


def test_nobody_there_is_unavailable_for_orders_too(peer: Peer) -> None:
    with pytest.raises(GatewayUnavailable):
        gateway("http://127.0.0.1:1").send(ORDER)


def test_only_what_is_idempotent_is_sent_again(peer: Peer) -> None:
    peer.scripts = [closes, says(b"", status=502), says()]
    assert gateway(peer.url, limits=Limits(total=3)).send(KEYED) == Answered({"result": "ok"}, 200)
    assert len(peer.heard) == 3
    nonces = {request.split(b'nonce="')[1][:24] for request in peer.heard}
    assert len(nonces) == 3
    assert all(b"idempotency-key: k1" in request for request in peer.heard)


def test_a_refusal_is_not_sent_again(peer: Peer) -> None:
    peer.scripts = [says(b"{}", status=400)]
    gateway(peer.url).send(KEYED)
    assert len(peer.heard) == 1


def test_an_order_that_may_have_arrived_once_stays_unknown(peer: Peer) -> None:
    peer.scripts = [closes]
    assert isinstance(gateway(peer.url).send(KEYED), Unknown)
    breaker = Breaker(failures=1, rest=60)
    assert isinstance(gateway(peer.url, breaker=breaker).send(KEYED), Unknown)


def test_all_attempts_together_keep_the_total_time(peer: Peer) -> None:
    peer.scripts = [waits]
    started = time.monotonic()
    assert isinstance(gateway(peer.url, limits=Limits(read=0.25, total=0.5, attempts=10)).send(KEYED), Unknown)
    assert time.monotonic() - started < 1.5


def test_the_hook_hears_of_every_call_and_nothing_of_its_content(peer: Peer) -> None:
    heard: list[Observation] = []
    peer.scripts = [says(), closes]
    door = gateway(peer.url, observe=heard.append)
    door.send(ORDER)
    door.send(ORDER)
    assert [(seen.gateway, seen.operation, seen.outcome, seen.attempts) for seen in heard] == [
        ("police", "do", "answered", 1),
        ("police", "do", "unknown", 1),
    ]


def test_an_unsigned_answer_is_not_used_where_one_must_be_signed(peer: Peer) -> None:
    peer.scripts = [says()]
    door = gateway(peer.url, peer_keys=lambda _: EcdsaPublicKey(PRIVATE.public_key()))
    assert door.send(ORDER) == Unknown("answer_signature_missing")
    peer.scripts = [says(b'{"code":"no"}', status=409)]
    assert door.send(ORDER) == Unknown("answer_signature_missing")


@pytest.mark.parametrize(
    "url",
    [
        "http://police.example",
        "ftp://127.0.0.1",
        "http://127.0.0.1.example",
        "http://localhost@police.example",
        "https://user@police.example",
        "https://",
        "//police.example",
        "https://police.example?x=1",
    ],
)
def test_a_base_url_without_tls_is_refused_unless_it_is_this_machine(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        gateway(url)


@pytest.mark.parametrize("path", ["look", "http://x/", "//x@y", "/a b", "/a\r\nX: y", "/a?b", "/a#b", "/收"])
def test_a_path_is_a_path(peer: Peer, path: str) -> None:
    if path == "//x@y":
        peer.scripts = [says()]
        gateway(peer.url).send(Call(operation="x", method="GET", path=path, gives=Result))
        assert peer.heard[0].startswith(b"GET //x@y ")
        return
    with pytest.raises(ValueError, match="path"):
        gateway(peer.url).send(Call(operation="x", method="GET", path=path, gives=Result))


def test_a_call_inside_a_transaction_is_a_mistake(monkeypatch: pytest.MonkeyPatch, peer: Peer) -> None:
    monkeypatch.setattr("core.db.in_transaction", lambda: True)
    with pytest.raises(RuntimeError, match="transaction"):
        gateway(peer.url).send(QUESTION)
    assert peer.heard == []


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_the_breaker_opens_rests_probes_once_and_closes() -> None:
    clock = Clock()
    breaker = Breaker(failures=3, rest=2, longest=5, clock=clock)
    for _ in range(3):
        assert breaker.admit()
        breaker.failed()
    assert (breaker.state, breaker.admit()) == (BreakerState.OPEN, False)
    clock.time += 2
    assert breaker.state is BreakerState.HALF_OPEN
    assert [breaker.admit(), breaker.admit()] == [True, False]
    breaker.succeeded()
    assert (breaker.state, breaker.admit()) == (BreakerState.CLOSED, True)


def test_a_failed_probe_doubles_the_rest_up_to_its_limit() -> None:
    clock = Clock()
    breaker = Breaker(failures=1, rest=2, longest=5, clock=clock)
    breaker.failed()
    for rest in (2, 4, 5, 5):
        clock.time += rest - 0.01
        assert not breaker.admit()
        clock.time += 0.01
        assert breaker.admit()
        breaker.failed()


def test_a_probe_that_never_comes_back_does_not_shut_the_gateway_for_ever() -> None:
    clock = Clock()
    breaker = Breaker(failures=1, rest=2, longest=5, clock=clock)
    breaker.failed()
    clock.time += 2
    assert breaker.admit()
    clock.time += 5
    assert breaker.admit()


def test_an_open_breaker_sends_nothing(peer: Peer) -> None:
    peer.scripts = [says(b"", status=500)]
    door = gateway(peer.url, breaker=Breaker(failures=2, rest=60))
    for _ in range(2):
        assert isinstance(door.send(ORDER), Unknown)
    with pytest.raises(GatewayUnavailable):
        door.send(ORDER)
    assert len(peer.heard) == 2


def test_refusals_do_not_open_the_breaker(peer: Peer) -> None:
    peer.scripts = [says(b"{}", status=404)]
    door = gateway(peer.url, breaker=Breaker(failures=2, rest=60))
    assert [door.send(ORDER) for _ in range(5)] == [Refused("refused", 404)] * 5
