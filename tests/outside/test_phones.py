"""The sandbox's phones, through the sender that the platform uses."""

from __future__ import annotations

import json

import pytest

from core.channels import ChannelUnavailable, Message, SandboxSms
from core.gateway import Limits
from core.http_signatures import EcdsaSigner, Request, sign
from tests.outside.conftest import SIGNER, Outside

PHONE = "19901000001"


def sender(outside: Outside) -> SandboxSms:
    return SandboxSms(outside.gateway("sms", limits=Limits(total=1.0)), signature="云川市民卡", production=False)


def code(reference: str = "r1", value: str = "482915", number: str = PHONE) -> Message:
    values = {"code": value, "minutes": "5"}
    return Message(number=number, template="sign_in_code", language="zh-CN", values=values, reference=reference)


def test_a_message_appears_on_the_phone_page_and_its_code_can_be_read(outside: Outside) -> None:
    assert sender(outside).send(code()).startswith("sms_")
    page = outside.get(f"/phones/{PHONE}").data.decode()
    assert "【云川市民卡】登录验证码482915" in page
    listed = json.loads(outside.get(f"/phones/{PHONE}/messages").data)["messages"]
    assert [(each["template"], each["values"]["code"]) for each in listed] == [("sign_in_code", "482915")]
    assert PHONE in outside.get("/phones").data.decode()


def test_the_newest_message_stands_first(outside: Outside) -> None:
    for number, value in enumerate(("111111", "222222", "333333")):
        sender(outside).send(code(f"r{number}", value))
    listed = json.loads(outside.get(f"/phones/{PHONE}/messages").data)["messages"]
    assert [each["values"]["code"] for each in listed] == ["333333", "222222", "111111"]


def test_the_same_reference_is_the_same_message(outside: Outside) -> None:
    assert sender(outside).send(code()) == sender(outside).send(code())
    assert len(json.loads(outside.get(f"/phones/{PHONE}/messages").data)["messages"]) == 1


def test_a_lost_answer_is_asked_for_again_and_sends_nothing_twice(outside: Outside) -> None:
    outside.fault("sms", "answer_lost", times=1)
    sender(outside).send(code())
    assert len(json.loads(outside.get(f"/phones/{PHONE}/messages").data)["messages"]) == 1


@pytest.mark.parametrize("kind", ["down", "errors", "answer_lost", "bad_signature"])
def test_a_provider_that_is_away_is_an_honest_refusal(outside: Outside, kind: str) -> None:
    outside.fault("sms", kind)
    with pytest.raises(ChannelUnavailable):
        sender(outside).send(code())


def test_a_number_that_is_no_phone_has_no_page(outside: Outside) -> None:
    assert outside.get("/phones/12345").status == 404
    assert outside.get("/phones/1990100000%3Cb%3E/messages").status == 404


def test_markup_in_a_text_stays_text(outside: Outside) -> None:
    with outside.world.pool.connection() as connection:
        connection.execute(
            """INSERT INTO message (id, number, template, text, "values", reference, received_at)
               VALUES ('m', %s, 'x', '<script>alert(1)</script>', '{}', 'r', now())""",
            (PHONE,),
        )
    assert "<script" not in outside.get(f"/phones/{PHONE}").data.decode()


def test_nobody_but_the_platform_may_send(outside: Outside) -> None:
    body = json.dumps({"number": PHONE, "text": "x", "template": "x", "values": {}, "reference": "r"}).encode()
    plain = {"content-type": "application/json"}
    answer = outside.pool.request("POST", f"{outside.url}/sms/messages", body=body, headers=plain)
    assert (answer.status, json.loads(answer.data)["code"]) == (401, "signature_missing")
    stranger = EcdsaSigner("stranger", SIGNER.private)
    signed = sign(Request("POST", "/sms/messages", "", plain, body), stranger, created=int(outside.now().timestamp()), nonce=True)
    answer = outside.pool.request("POST", f"{outside.url}/sms/messages", body=body, headers={**plain, **signed})
    assert json.loads(answer.data)["code"] == "signature_key_unknown"


def test_a_request_that_is_sent_again_as_it_was_is_refused(outside: Outside) -> None:
    body = json.dumps({"number": PHONE, "text": "x", "template": "x", "values": {}, "reference": "r"}).encode()
    plain = {"content-type": "application/json"}
    signed = sign(Request("POST", "/sms/messages", "", plain, body), SIGNER, created=int(outside.now().timestamp()), nonce=True)
    codes = [outside.pool.request("POST", f"{outside.url}/sms/messages", body=body, headers={**plain, **signed}).status for _ in range(2)]
    assert codes == [201, 401]
