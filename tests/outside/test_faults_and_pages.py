"""The fault switch, the pages of no agency, and the ways in which the process refuses to start."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from auth.errors import RegisterUnavailable
from auth.verification.police import HttpPoliceRegister, IdentityResult
from core.gateway import FaultSwitch, FaultyTransport, HttpTransport, Limits, sandbox_gateway
from outside import keys
from outside.settings import CannotStart, read
from tests.outside.conftest import SIGNER, WANG, Outside


def switch(outside: Outside, **body: object) -> int:
    headers = {"Content-Type": "application/json"}
    return outside.pool.request("POST", f"{outside.url}/faults", body=json.dumps(body), headers=headers).status


def outcomes(outside: Outside, count: int) -> list[bool]:
    """Which of so many single attempts succeed."""
    found = []
    for _ in range(count):
        police = HttpPoliceRegister(outside.gateway("police", limits=Limits(attempts=1)))
        try:
            found.append(police.check_identity(name=WANG[0], citizen_number=WANG[1]) is IdentityResult.MATCH)
        except RegisterUnavailable:
            found.append(False)
    return found


def test_a_share_strikes_evenly_and_not_by_chance(outside: Outside) -> None:
    assert switch(outside, place="police", kind="errors", share=0.25) == 204
    assert outcomes(outside, 8) == [True, True, True, False] * 2


def test_a_number_of_times_ends_by_itself(outside: Outside) -> None:
    switch(outside, place="police", kind="down", times=2)
    assert outcomes(outside, 4) == [False, False, True, True]
    assert json.loads(outside.get("/faults.json").data) == {"faults": []}


def test_slowness_is_slow(outside: Outside) -> None:
    switch(outside, place="police", kind="slow", value=300)
    started = time.monotonic()
    assert outcomes(outside, 1) == [True]
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    "body",
    [
        {"place": "police", "kind": "explode"},
        {"place": "nowhere", "kind": "down"},
        {"place": "police"},
        {"place": "police", "kind": "down", "share": 0},
        {"place": "police", "kind": "down", "share": 2},
        {"place": "police", "kind": "down", "value": -1},
        {"place": "police", "kind": "down", "times": True},
        {"place": "police", "kind": "down", "more": 1},
    ],
)
def test_a_fault_that_does_not_exist_is_refused(outside: Outside, body: dict[str, object]) -> None:
    assert switch(outside, **body) == 422


def test_the_page_switches_on_and_off(outside: Outside) -> None:
    assert "没有打开的故障" in outside.get("/faults").data.decode()
    assert outside.post(f"{outside.url}/faults", {"fault": "police slow", "value": "20"}).status == 303
    assert "police</td><td>slow (20)" in outside.get("/faults").data.decode()
    assert outside.post(f"{outside.url}/faults/off", {"fault": "police slow"}).status == 303
    assert "没有打开的故障" in outside.get("/faults").data.decode()


@pytest.mark.parametrize("door", ["water", "power", "gas"])
def test_the_answer_to_a_payment_can_be_lost_at_every_utility_and_nowhere_else(outside: Outside, door: str) -> None:
    assert f'value="{door} payment_answer_lost"' in outside.get("/faults").data.decode()
    assert outside.post(f"{outside.url}/faults", {"fault": f"{door} payment_answer_lost"}).status == 303
    assert f"{door}</td><td>payment_answer_lost" in outside.get("/faults").data.decode()
    assert outside.pool.request("DELETE", f"{outside.url}/faults?place={door}&kind=payment_answer_lost").status == 204
    assert switch(outside, place=door, kind="payment_answer_lost", times=1) == 204
    on = json.loads(outside.get("/faults.json").data)["faults"]
    assert [(fault["place"], fault["kind"]) for fault in on] == [(door, "payment_answer_lost")]
    assert switch(outside, place="police", kind="payment_answer_lost") == 422


@pytest.mark.parametrize(("kind", "done"), [("unreachable", 0), ("answer_cut", 1)])
def test_the_line_itself_can_fail_before_or_after_the_work(outside: Outside, kind: str, done: int) -> None:
    line = HttpTransport()
    transport = FaultyTransport(line, FaultSwitch(outside.url, "police", line), production=False)
    switch(outside, place="line:police", kind=kind)
    police = HttpPoliceRegister(outside.gateway("police", transport=transport, limits=Limits(attempts=1)))
    with pytest.raises(RegisterUnavailable):
        police.check_identity(name=WANG[0], citizen_number=WANG[1])
    with outside.world.pool.connection() as connection:
        assert connection.execute("SELECT 1 FROM nonce_seen").rowcount == done


def test_the_fault_injecting_line_refuses_production() -> None:
    with pytest.raises(ValueError, match="production"):
        FaultyTransport(HttpTransport(), dict, production=True)


@pytest.mark.parametrize("path", ["/", "/phones", "/faults"])
def test_every_page_says_that_it_is_a_sandbox_and_loads_nothing_from_elsewhere(outside: Outside, path: str) -> None:
    answer = outside.get(path)
    page = answer.data.decode()
    assert "沙箱" in page
    assert "sandbox" in page
    assert "https://" not in page
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<script" not in page


def test_it_tells_its_health_and_its_public_keys_and_no_private_ones(outside: Outside) -> None:
    assert json.loads(outside.get("/health").data) == {"status": "ok", "sandbox": True}
    listed = json.loads(outside.get("/.well-known/jwks.json").data)["keys"]
    assert sorted(key["kid"].split("-")[0] for key in listed) == ["gas", "police", "power", "sms", "water", "yunpay"]
    assert all("d" not in key for key in listed)


def test_a_foreign_host_name_or_origin_is_turned_away(outside: Outside) -> None:
    assert outside.get("/phones", Host="evil.example").status == 421
    answer = outside.post(f"{outside.url}/faults", {"fault": "police down"}, Origin="http://evil.example")
    assert answer.status == 403
    assert outside.post(f"{outside.url}/faults", {"fault": "police down"}, Origin=outside.url).status == 303


ENVIRONMENT = {
    "CITYCARD_OUTSIDE_DATABASE_URL": "postgresql://x",
    "CITYCARD_OUTSIDE_PORT": "8090",
    "CITYCARD_OUTSIDE_DATA": "/tmp/x",
    "CITYCARD_PLATFORM_URL": "http://localhost:8080",
}


def test_it_starts_with_what_it_needs() -> None:
    assert read(ENVIRONMENT).url == "http://localhost:8090"


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_setting_is_named(name: str) -> None:
    with pytest.raises(CannotStart, match=name):
        read({**ENVIRONMENT, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CITYCARD_ENVIRONMENT", "production"),
        ("CITYCARD_OUTSIDE_PORT", "0"),
        ("CITYCARD_OUTSIDE_PORT", "port"),
        ("CITYCARD_PLATFORM_URL", "localhost:8080"),
        ("CITYCARD_PLATFORM_URL", "http://localhost:8080/api"),
        ("CITYCARD_PLATFORM_URL", "ftp://localhost"),
    ],
)
def test_it_refuses_production_and_nonsense(name: str, value: str) -> None:
    with pytest.raises(CannotStart):
        read({**ENVIRONMENT, name: value})


def test_keys_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    first, second = keys.load(tmp_path / "data"), keys.load(tmp_path / "data")
    assert first.jwks() == second.jwks()
    assert first.hide("person", "x") == second.hide("person", "x")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "data").iterdir()} == {0}


def test_the_ready_made_sandbox_gateway_speaks_to_the_outside_world(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.gateway.sandbox.city_signer", lambda: SIGNER)
    police = HttpPoliceRegister(sandbox_gateway("police", outside_url=outside.url, production=False))
    assert police.check_identity(name=WANG[0], citizen_number=WANG[1]) is IdentityResult.MATCH
    with pytest.raises(ValueError, match="production"):
        sandbox_gateway("police", outside_url=outside.url, production=True)
