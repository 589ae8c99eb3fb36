"""Short messages: what may be in one, and how the vendors' requests look."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from core.channels import TEMPLATES, ChannelRefused, ChannelUnavailable, Message, SandboxSms, Template, render
from core.channels.alibaba import AlibabaSms
from core.channels.alibaba import request_of as alibaba_request
from core.channels.tencent import TencentSms, TencentTemplate
from core.channels.tencent import request_of as tencent_request

VALUES = {"code": "482915", "minutes": "5"}


def message(**changes: Any) -> Message:
    given: dict[str, Any] = {
        "number": "19901000001",
        "template": "sign_in_code",
        "language": "zh-CN",
        "values": VALUES,
        "reference": "ref-1",
        **changes,
    }
    return Message(**given)


def test_a_text_begins_with_the_senders_signature_and_holds_the_values() -> None:
    text = render("sign_in_code", "zh-CN", VALUES, signature="云川市民卡")
    assert text.startswith("【云川市民卡】登录验证码482915，5分钟内有效")
    assert "482915" in render("sign_in_code", "en", VALUES, signature="云川市民卡")


@pytest.mark.parametrize("code", TEMPLATES)
def test_every_template_fits_into_three_parts_in_both_languages(code: str) -> None:
    values = dict.fromkeys(TEMPLATES[code].values, "很" * 20)
    assert len(render(code, "zh-CN", values, signature="云川市民卡")) <= 67 * 3
    assert len(render(code, "en", values, signature="云川市民卡")) <= 67 * 4


def test_a_template_that_says_different_things_in_two_languages_is_refused() -> None:
    with pytest.raises(ValueError, match="both languages"):
        Template("{code}", "{number}")


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "+8619901000001"},
        {"number": "12345678901"},
        {"number": "1990100000１"},
        {"template": "advert"},
        {"language": "fr"},
        {"values": {"code": "1"}},
        {"values": {**VALUES, "more": "1"}},
        {"values": {**VALUES, "code": ""}},
        {"values": {**VALUES, "code": "1\n2"}},
        {"values": {**VALUES, "code": "【银行】"}},
        {"values": {**VALUES, "code": "see www.example.com"}},
        {"values": {**VALUES, "code": "HTTP://x"}},
        {"values": {**VALUES, "code": "8" * 41}},
    ],
)
def test_what_no_provider_should_send_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"template|number"):
        message(**changes)


def test_neither_number_nor_code_shows_when_a_message_is_printed() -> None:
    assert "19901000001" not in repr(message())
    assert "482915" not in repr(message())


def test_the_sandbox_refuses_production() -> None:
    with pytest.raises(ValueError, match="production"):
        SandboxSms(None, signature="云川市民卡", production=True)  # type: ignore[arg-type]  # refused before it is looked at


def test_alibabas_request() -> None:
    assert alibaba_request(message(), "云川市民卡", {("sign_in_code", "zh-CN"): "SMS_1"}) == {
        "phone_numbers": "19901000001",
        "sign_name": "云川市民卡",
        "template_code": "SMS_1",
        "template_param": '{"code":"482915","minutes":"5"}',
        "out_id": "ref-1",
    }


def test_tencents_request() -> None:
    templates = {("sign_in_code", "zh-CN"): TencentTemplate("1001", ("code", "minutes"))}
    assert tencent_request(message(), "1400", "云川市民卡", templates) == {
        "PhoneNumberSet": ["+8619901000001"],
        "SmsSdkAppId": "1400",
        "SignName": "云川市民卡",
        "TemplateId": "1001",
        "TemplateParamSet": ["482915", "5"],
        "SessionContext": "ref-1",
    }


class Vendor(http.server.BaseHTTPRequestHandler):
    """A vendor's endpoint that gives one answer and keeps what it heard."""

    answer: ClassVar[dict[str, Any]] = {}
    heard: ClassVar[list[tuple[str, str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.heard.append((self.path, body))
        said = json.dumps(self.answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def vendor() -> Iterator[str]:
    for port in range(23_000, 24_000):
        try:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Vendor)
            break
        except OSError:
            continue
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    Vendor.heard.clear()
    yield f"127.0.0.1:{port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def alibaba(vendor: str) -> AlibabaSms:
    pytest.importorskip("alibabacloud_dysmsapi20170525", reason="needs the extra `vendors`")
    ids = {("sign_in_code", "zh-CN"): "SMS_1"}
    return AlibabaSms(key_id="id", key_secret="key", signature="云川市民卡", template_ids=ids, endpoint=vendor, protocol="http")


@pytest.fixture
def tencent(vendor: str) -> TencentSms:
    pytest.importorskip("tencentcloud.sms", reason="needs the extra `vendors`")
    templates = {("sign_in_code", "zh-CN"): TencentTemplate("1001", ("code", "minutes"))}
    return TencentSms(
        secret_id="id", secret_key="key", app_id="1400", signature="云川市民卡", templates=templates, endpoint=vendor, protocol="http"
    )


@pytest.mark.filterwarnings("ignore")  # the vendors' packages warn about themselves
@pytest.mark.parametrize(
    ("code", "expected"), [("OK", None), ("isv.BUSINESS_LIMIT_CONTROL", ChannelRefused), ("isp.SYSTEM_ERROR", ChannelUnavailable)]
)
def test_alibabas_own_client_is_understood(alibaba: AlibabaSms, code: str, expected: type[Exception] | None) -> None:
    Vendor.answer = {"Code": code, "BizId": "9001", "Message": "x", "RequestId": "r"}
    if expected is None:
        assert alibaba.send(message()) == "9001"
        assert "SMS_1" in str(Vendor.heard)
        return
    with pytest.raises(expected):
        alibaba.send(message())


@pytest.mark.filterwarnings("ignore")  # the vendors' packages warn about themselves
@pytest.mark.parametrize(
    ("code", "expected"),
    [("Ok", None), ("FailedOperation.PhoneNumberInBlacklist", ChannelRefused), ("InternalError.Timeout", ChannelUnavailable)],
)
def test_tencents_own_client_is_understood(tencent: TencentSms, code: str, expected: type[Exception] | None) -> None:
    status = {"SerialNo": "9001", "PhoneNumber": "+8619901000001", "Fee": 1, "SessionContext": "", "Code": code, "Message": "x"}
    Vendor.answer = {"Response": {"SendStatusSet": [status], "RequestId": "r"}}
    if expected is None:
        assert tencent.send(message()) == "9001"
        assert json.loads(Vendor.heard[0][1])["TemplateParamSet"] == ["482915", "5"]
        return
    with pytest.raises(expected):
        tencent.send(message())


@pytest.mark.filterwarnings("ignore")  # the vendors' packages warn about themselves
def test_a_vendors_own_error_is_unavailable(tencent: TencentSms) -> None:
    Vendor.answer = {"Response": {"Error": {"Code": "AuthFailure.SignatureFailure", "Message": "x"}, "RequestId": "r"}}
    with pytest.raises(ChannelUnavailable):
        tencent.send(message())
