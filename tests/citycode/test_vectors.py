"""The published vectors hold in Python; the same files are run by citycode/ts/tests in TypeScript."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import citycode
from citycode import IssuerKey, Refused, TrustList
from citycode.gate import Gate, GateRules
from citycode.hotlist import Hotlist
from citycode.vectors import __main__ as written

HOME = Path(written.HERE)


def vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((HOME / name).read_text())["vectors"]
    return found


def named(name: str) -> Any:
    return pytest.mark.parametrize("vector", [pytest.param(each, id=each["name"]) for each in vectors(name)])


@pytest.fixture(scope="module")
def trust() -> TrustList:
    def key(told: dict[str, Any]) -> IssuerKey:
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(told["point"]))
        return IssuerKey(bytes.fromhex(told["id"]), point, told["starts_at"], told["ends_at"])

    return TrustList(key(told) for told in json.loads((HOME / "good.json").read_text())["trust"])


def outcome(work: Any) -> str | None:
    try:
        work()
    except Refused as refusal:
        return str(refusal.reason)
    return None


@named("good.json")
def test_a_good_code_is_accepted_and_read(trust: TrustList, vector: dict[str, Any]) -> None:
    found = citycode.verify(vector["code"], trust, now=vector["now"])
    told = {name: getattr(found, name) for name in vector["accepted"]}
    assert {name: value.hex() if isinstance(value, bytes) else value for name, value in told.items()} == vector["accepted"]


@named("hostile.json")
def test_a_hostile_code_is_refused_for_its_reason(trust: TrustList, vector: dict[str, Any]) -> None:
    assert outcome(lambda: citycode.verify(vector["code"], trust, now=vector["now"])) == vector["refused"]


@named("gate.json")
def test_a_gate_decides_over_several_scans(trust: TrustList, vector: dict[str, Any]) -> None:
    told = vector["hotlist"]
    hotlist = Hotlist(told["version"], told["made_at"], frozenset(map(bytes.fromhex, told["entries"])))
    gate = Gate(trust, hotlist, keep=lambda _: None, rules=GateRules(most_fen=vector["most_fen"]))
    for scan in vector["scans"]:
        assert outcome(lambda scan=scan: gate.offer(scan["code"], scan["amount_fen"], now=scan["now"])) == scan["refused"]


def test_the_vectors_are_what_the_program_writes() -> None:
    assert {name: (HOME / name).read_text() for name in written.files()} == written.files()


def test_every_reason_has_a_vector() -> None:
    told = {vector["refused"] for vector in vectors("hostile.json")}
    told |= {scan["refused"] for vector in vectors("gate.json") for scan in vector["scans"]}
    assert set(map(str, citycode.Reason)) == told - {None}


@pytest.mark.full
def test_typescript_agrees() -> None:
    import shutil
    import subprocess

    home = HOME.parent / "ts"
    if shutil.which("npm") is None:
        pytest.skip("needs node")
    if not (home / "node_modules").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=home, check=True, capture_output=True)
    ran = subprocess.run(["npm", "test"], cwd=home, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-4000:]
