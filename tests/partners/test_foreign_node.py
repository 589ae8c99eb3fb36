"""openid-client of npm signs a resident in and out by the discovery address alone, non-repudiation checks on, by PAR and DPoP too."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.auth.conftest import House, public_jwk
from tests.partners.conftest import System
from tests.partners.living import Person, living

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(shutil.which("node") is None or shutil.which("npm") is None, reason="needs node and npm"),
]
SOURCE = Path(__file__).with_name("openid_client")
HERE = "http://localhost:8765"
PATIENCE = 60


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client, installed as its lock file says."""
    folder = tmp_path_factory.mktemp("openid_client") / "client"
    shutil.copytree(SOURCE, folder)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True, timeout=300)
    return folder


def private_jwk(system: System) -> dict[str, Any]:
    assert system.key is not None
    number = system.key.private_numbers().private_value.to_bytes(32, "big")
    return {**public_jwk(system.key), "d": base64.urlsafe_b64encode(number).decode().rstrip("=")}


@pytest.mark.parametrize(("push", "dpop"), [(False, False), (True, False), (True, True)], ids=["plain", "par", "par_and_dpop"])
def test_openid_client_signs_a_resident_in_and_out(
    house: House, partner: Callable[..., System], foreign: Path, push: bool, dpop: bool
) -> None:
    system = partner(redirect_uris=(HERE + "/callback",), logout_uris=(HERE + "/",), push_required=push, dpop_required=dpop)
    person = Person(house)
    with living(house) as issuer:
        facts = {"issuer": issuer, "client_id": system.client_id, "jwk": private_jwk(system), "redirect_uri": HERE + "/callback"}
        facts |= {"goodbye": HERE + "/", "push": push, "dpop": dpop}
        command = ["node", "sign_in.mjs", json.dumps(facts)]
        with subprocess.Popen(
            command, cwd=foreign, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as run:
            assert run.stdin is not None
            visit = answer(run)["visit"]
            run.stdin.write(person.visit(visit, HERE) + "\n")
            run.stdin.flush()
            learnt, api = answer(run), answer(run)
            run.wait(PATIENCE)
        assert person.visit(learnt["leave"], HERE) == HERE + "/"
    assert learnt["claims"]["iss"] == issuer
    assert learnt["info"]["phone_number"] == "+86" + person.phone.number
    assert learnt["token_type"] == ("dpop" if dpop else "bearer")
    assert (learnt["before"], learnt["after"]) == (True, False)
    assert api["status"] == 403, "signed in, and not consented to that purpose"


def answer(run: subprocess.Popen[str]) -> dict[str, Any]:
    """The next line of the client."""
    assert run.stdout is not None
    line = run.stdout.readline()
    if not line:
        run.wait(PATIENCE)
        raise AssertionError(run.stderr.read() if run.stderr else "it ended")
    return dict(json.loads(line))
