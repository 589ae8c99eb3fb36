"""A vendor of text messages is chosen by settings; what is wrong with its account is told at the start, not at the first message."""

import importlib.util
import os
from pathlib import Path

import pytest

import wiring
from config import settings
from config.settings import SettingsRefused
from core.channels import TEMPLATES, SandboxSms
from core.channels.alibaba import AlibabaSms
from core.channels.tencent import TencentSms
from tests.config.test_settings import DEMO, faults_of

HEAD = 'key_id = "id-of-ours"\nkey_secret = "secret-of-ours"\nsignature = "云川市民卡"\n'
APP = 'app_id = "1400000000"\n'
VENDORS = [("alibaba", "alibabacloud_dysmsapi20170525", AlibabaSms), ("tencent", "tencentcloud", TencentSms)]


def account(folder: Path, *, head: str = HEAD, left_out: str = "", order: bool = True, mode: int = 0o600) -> str:
    """The path of a file with all our messages but one."""
    lines = [head]
    for code, template in TEMPLATES.items():
        if code == left_out:
            continue
        places = ", ".join(f'"{name}"' for name in sorted(template.values))
        said = f'{{ id = "{code}", order = [{places}] }}' if order else f'{{ id = "{code}" }}'
        lines.append(f'[templates.{code}]\n"zh-CN" = {said}\nen = {said}\n')
    path = folder / "sms.toml"
    path.write_text("".join(lines), encoding="utf-8")
    path.chmod(mode)
    return str(path)


def chosen(vendor: str, path: str) -> dict[str, str]:
    return {**DEMO, "CITYCARD_SMS": vendor, "CITYCARD_SMS_ACCOUNT": path}


def sends(read: settings.Settings, module: str, kind: type) -> None:
    """These settings make a sender of the kind, or name the extra that is not installed."""
    if importlib.util.find_spec(module):
        assert isinstance(wiring.sms(read, signature="云川市市民卡"), kind)
        return
    with pytest.raises(SettingsRefused, match="needs the extra `vendors`"):
        wiring.sms(read, signature="云川市市民卡")


@pytest.mark.parametrize(("vendor", "module", "kind"), VENDORS)
def test_the_vendor_that_is_chosen_sends(tmp_path: Path, vendor: str, module: str, kind: type) -> None:
    read = settings.read(chosen(vendor, account(tmp_path, head=HEAD + APP)))
    assert read.sandboxes == ("police", "face", "payment")
    assert "secret-of-ours" not in repr(read) + repr(read.sms_account)
    sends(read, module, kind)


def test_without_a_vendor_the_sandbox_sends() -> None:
    assert isinstance(wiring.sms(settings.read(DEMO), signature="云川市市民卡"), SandboxSms)


@pytest.mark.parametrize("vendor", ["alibaba", "tencent"])
def test_a_message_that_the_vendor_does_not_know_is_named_at_the_start(tmp_path: Path, vendor: str) -> None:
    read = settings.read(chosen(vendor, account(tmp_path, head=HEAD + APP, left_out="card_lost")))
    with pytest.raises(SettingsRefused) as refused:
        wiring.sms(read, signature="云川市市民卡")
    (fault,) = refused.value.faults
    assert (fault.name, fault.en) == ("CITYCARD_SMS_ACCOUNT", "lacks templates: card_lost zh-CN, card_lost en")


def test_tencent_fills_by_place_and_so_needs_the_order(tmp_path: Path) -> None:
    path = account(tmp_path, head=HEAD + APP, order=False)
    with pytest.raises(SettingsRefused, match="sign_in_code zh-CN"):
        wiring.sms(settings.read(chosen("tencent", path)), signature="云川市市民卡")
    sends(settings.read(chosen("alibaba", path)), *VENDORS[0][1:])


def test_what_is_wrong_with_an_account_is_told(tmp_path: Path) -> None:
    assert faults_of({**DEMO, "CITYCARD_SMS": "alibaba"}) == {"CITYCARD_SMS_ACCOUNT": "is needed by alibaba"}
    assert faults_of(chosen("tencent", account(tmp_path))) == {"CITYCARD_SMS_ACCOUNT": "tencent needs app_id"}
    assert faults_of(chosen("alibaba", "sms.toml")) == {"CITYCARD_SMS_ACCOUNT": "must be an absolute path"}
    assert faults_of(chosen("alibaba", str(tmp_path / "none.toml"))) == {"CITYCARD_SMS_ACCOUNT": f"{tmp_path}/none.toml cannot be read"}
    open_to_all = account(tmp_path, mode=0o644)
    assert os.stat(open_to_all).st_mode & 0o077
    assert faults_of(chosen("alibaba", open_to_all)) == {"CITYCARD_SMS_ACCOUNT": f"{open_to_all} can be read by others; chmod 600"}


@pytest.mark.parametrize(
    "head",
    [
        "",
        "key_id = 7\n",
        HEAD + 'more = "x"\n',
        HEAD + "app_id = 14\n",
        HEAD + 'templates = "x"\n',
        HEAD + '[templates.sign_in_code]\nen = "SMS_1"\n',
        "not toml",
    ],
)
def test_what_is_no_account_is_refused(tmp_path: Path, head: str) -> None:
    path = tmp_path / "sms.toml"
    path.write_text(head, encoding="utf-8")
    path.chmod(0o600)
    found = faults_of(chosen("alibaba", str(path)))
    assert found == {"CITYCARD_SMS_ACCOUNT": "must be TOML with key_id, key_secret, signature and [templates.*] (docs/settings.md)"}
