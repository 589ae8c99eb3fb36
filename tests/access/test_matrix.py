"""Who may do what, as a table that a person can check: every operation, every kind of caller, own and nonexistent things.

``matrix.csv`` is written by hand and reviewed against what each operation is for; nothing of it is taken from the routes. A cell is a
status, and for a refusal its code. A failure shows what the program answered instead.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from command.story import proving
from core import db
from tests.access import asking_money as asking_money
from tests.access import asking_sign_in as asking_sign_in
from tests.access import asking_staff as asking_staff
from tests.access import asking_webhooks as asking_webhooks
from tests.access import bills as bills
from tests.access.asking import ASKED, Ask
from tests.access.conftest import CALLERS, Stage

TABLE = Path(__file__).with_name("matrix.csv")
ROWS = list(csv.DictReader(TABLE.read_text().splitlines()))
NEVER = re.compile(r"\b(?:50\d)\b")


def cell(answer: Any) -> str:
    """What a cell says of an answer."""
    code = (answer.json or {}).get("code", "") if answer.status_code >= 400 and answer.is_json else ""
    return f"{answer.status_code} {code}".strip()


def ask_row(stage: Stage, row: dict[str, str], method: str) -> dict[str, str]:
    """What every caller of a row is answered; a thing that was used up is made anew for the next one."""
    stage.renew()
    given: dict[str, str] = {}
    ask: Ask | None = None
    for caller in CALLERS:
        if ask is None:
            ask = ASKED[row["operation"]](stage.scene)
            if row["thing"] == "nonexistent":
                ask = ask.about_nothing()
        answer = stage.send(method, ask, caller)
        given[caller] = cell(answer)
        used_up = answer.status_code < 400 and method != "GET"
        if used_up:
            stage.renew()
        if used_up:
            ask = None
    return given


def methods(stage: Stage) -> dict[str, str]:
    return {route.operation: route.method for route in stage.whole.app.extensions["edge"].routes}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['operation']}-{row['thing']}")
def test_every_caller_is_answered_as_the_table_says(stage: Stage, row: dict[str, str]) -> None:
    given = ask_row(stage, row, methods(stage)[row["operation"]])
    wrong = {caller: f"{given[caller]} instead of {row[caller]}" for caller in CALLERS if given[caller] != row[caller]}
    assert not wrong, wrong


def test_every_route_has_its_rows_and_every_row_its_route(stage: Stage) -> None:
    wanted = set()
    for route in stage.whole.app.extensions["edge"].routes:
        wanted.add((route.operation, "own"))
        if "<id" in route.path:
            wanted.add((route.operation, "nonexistent"))
    assert {(row["operation"], row["thing"]) for row in ROWS} == wanted
    assert len(ROWS) == len(wanted)


def test_no_cell_expects_a_fault_of_ours() -> None:
    assert not [row["operation"] for row in ROWS for caller in CALLERS if NEVER.search(row[caller])]


def test_a_thing_of_somebody_else_is_told_like_one_that_never_was(stage: Stage) -> None:
    """Byte for byte but for the request's own id, so that no answer says whether an id exists."""
    for row in ROWS:
        hidden = [caller for caller in CALLERS if row[caller].startswith("404")]
        if row["thing"] != "own" or not hidden:
            continue
        stage.renew()
        ask, method = ASKED[row["operation"]](stage.scene), methods(stage)[row["operation"]]
        for caller in hidden:
            theirs, nobodys = (stage.send(method, each, caller) for each in (ask, ask.about_nothing() if ask.thing else ask))
            assert without_request(theirs.text) == without_request(nobodys.text), (row["operation"], caller)
            assert dict(theirs.headers, **{"X-Request-Id": ""}) == dict(nobodys.headers, **{"X-Request-Id": ""})


def without_request(text: str) -> str:
    return re.sub(r"req_[0-9a-z]{26}", "req", text)


def test_another_key_finds_no_request_to_enter(stage: Stage) -> None:
    """Who may go on with a sign-in request is its key alone: with another one it never was."""
    for operation in ("claimSignIn", "beginFaceCheckForSignIn", "finishFaceCheckForSignIn"):
        stage.renew()
        ask = ASKED[operation](stage.scene)
        ask.key = proving.new_key()
        theirs, nobodys = stage.send("POST", ask, "anonymous"), stage.send("POST", ask.about_nothing(), "anonymous")
        assert cell(theirs) == "404 not_found", operation
        assert without_request(theirs.text) == without_request(nobodys.text)


LISTS = (
    "/api/cards",
    "/api/sessions",
    "/api/me",
    "/api/me/devices",
    "/api/me/sign-in-requests",
    "/api/notices",
    "/api/receipts",
    "/api/bindings",
    "/api/bill-payments",
    "/api/wallet",
)
SHOWN = re.compile(r"\b[a-z]+(?:_[a-z]+)?_[0-7][0-9a-hjkmnp-tv-z]{25}\b")
SHARED = ("req_", "merchant_")


def test_no_list_holds_anything_of_somebody_else(stage: Stage) -> None:
    stage.renew()
    for operation in ("getReceipt", "decideSignIn", "readNotice", "getBillPayment"):
        ASKED[operation](stage.scene)
    own = {found for path in LISTS for found in shown(stage, path, "owner")}
    kinds = {"card", "session", "device", "resident", "wallet", "receipt", "signin", "notice", "binding", "bill_payment", "bill"}
    assert {found.rpartition("_")[0] for found in own} >= kinds
    for caller in ("neighbour", "stranger"):
        for path in LISTS:
            assert not shown(stage, path, caller) & own, (path, caller)


def test_staff_lists_end_at_the_city(stage: Stage) -> None:
    for path in ("/api/staff", "/api/terminals"):
        here, elsewhere = (shown(stage, path, caller) for caller in ("administrator", "staff_elsewhere"))
        assert here, path
        assert elsewhere, path
        assert not here & elsewhere, path


def test_a_terminal_is_not_registered_for_a_merchant_of_another_city(stage: Stage) -> None:
    """It would fill an account of the other city's books."""
    stage.renew()
    ask = ASKED["registerTerminal"](stage.scene)
    assert cell(stage.send("POST", ask, "administrator")) == "201"
    assert cell(stage.send("POST", ask, "staff_elsewhere")) == "404 not_found"


def test_staff_leave_a_trace_wherever_they_look_at_a_resident(stage: Stage) -> None:
    """Threat 22: every look of a staff member stands in the resident's own list."""
    for operation in ("getCardAtCounter", "listCardEvents", "getCharge", "presentAtCounter", "revealResident"):
        stage.renew()
        ask, method = ASKED[operation](stage.scene), methods(stage)[operation]
        before = uses(stage)
        assert stage.send(method, ask, "supervisor").status_code == 200, operation
        assert uses(stage) > before, operation


def uses(stage: Stage) -> int:
    row = db.connection().execute("SELECT count(*) FROM data_use WHERE resident_id = %s", (stage.scene.owner.id,)).fetchone()
    assert row is not None
    return int(row[0])


def shown(stage: Stage, path: str, caller: str) -> set[str]:
    answer = stage.send("GET", Ask(path), caller)
    assert answer.status_code == 200, (path, caller, answer.text)
    return {found for found in SHOWN.findall(answer.text) if not found.startswith(SHARED)}
