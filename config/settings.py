"""Every setting of an installation, read from CITYCARD_* at once; any fault is a refusal to start, and all are named."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.reading import Unreadable, address, folder, number, one_of, root_key, setting, text, words
from config.sms_account import SmsAccount, sms_account

PREFIX = "CITYCARD_"
# Read elsewhere and documented there: the private servers, the process `outside`, the measuring commands, the tests.
ELSEWHERE = ("PG_BIN", "VALKEY_SERVER", "RUN_", "OUTSIDE_", "PLATFORM_URL", "BENCH_", "CRASH_", "TEST_")
PROVIDERS = ("sms", "police", "face", "payment")
PROVIDER_CHOICES = ("sandbox",)
SMS_CHOICES = ("sandbox", "alibaba", "tencent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One installation. A setting without a default must be given; a secret never has a default."""

    environment: str = setting(
        one_of("demo", "test", "production"),
        form="demo | test | production",
        zh="环境。production 拒绝一切沙箱和可移动的时钟",
        en="What this installation is; production refuses every sandbox and a movable clock",
    )
    public_url: str = setting(
        address("http", "https"),
        form="http(s)://host[:port]",
        zh="居民看到的地址，也是令牌的签发者；production 必须是 https",
        en="The address residents see, also the issuer of tokens; https in production",
    )
    database_url: str = setting(
        address("postgresql"),
        form="postgresql://citycard_app…",
        zh="PostgreSQL，应用角色 citycard_app",
        en="PostgreSQL as the application's role citycard_app",
        secret=True,
    )
    redis_url: str = setting(
        address("redis", "rediss", "unix"),
        form="redis:// | rediss:// | unix://",
        zh="Redis 或 Valkey：缓存和请求配额",
        en="Redis or Valkey: caches and request quotas",
        secret=True,
    )
    root_key: bytes = setting(
        root_key,
        form="64 hex digits, or the absolute path of a 0600 file",
        zh="根密钥，一切密钥由它派生",
        en="The root key, from which every other key is derived",
        secret=True,
    )
    data_dir: Path = setting(
        folder,
        form="absolute path",
        zh="本机数据目录（演示环境的数据库、日志）",
        en="The folder of this machine's data (demo servers, logs)",
    )
    cities: tuple[str, ...] = setting(
        words, form="name[,name…]", zh="启用的城市（config/cities 下的目录名）", en="Cities served (folders of config/cities)"
    )
    default_city: str = setting(
        text, form="name", zh="未指明时的城市；默认为第一个", en="The city when none is named; the first of them by default", default=""
    )
    owner_database_url: str | None = setting(
        address("postgresql"),
        form="postgresql://citycard_owner…",
        zh="PostgreSQL，属主角色；只有迁移、演示时钟和 citycard staff 需要，网页进程不要给",
        en="PostgreSQL as the owner's role: for migrations, the demo's clock and `citycard staff` alone, not for web processes",
        default=None,
        secret=True,
    )
    outside_url: str | None = setting(
        address("http", "https"),
        form="http(s)://host[:port]",
        zh="进程 outside 的地址（沙箱里的短信、公安、支付和各单位）",
        en="Where the process `outside` answers (sandbox SMS, police, payment and agencies)",
        default=None,
    )
    outside_public_url: str | None = setting(
        address("http", "https"),
        form="http(s)://host[:port]",
        zh="居民看到的沙箱页面地址（局域网模式）；默认同 CITYCARD_OUTSIDE_URL",
        en="Where residents see the sandbox's pages (LAN mode); CITYCARD_OUTSIDE_URL by default",
        default=None,
    )
    outside_database_url: str | None = setting(
        address("postgresql"),
        form="postgresql://citycard_outside…",
        zh="进程 outside 自己的数据库",
        en="The database of the process `outside`, its own",
        default=None,
        secret=True,
    )
    host: str = setting(text, form="address", zh="监听地址", en="The address to listen on", default="127.0.0.1")
    port: int = setting(number(1, 65535), form="1–65535", zh="监听端口", en="The port to listen on", default=8080)
    web_workers: int = setting(number(1, 64), form="1–64", zh="网页进程数", en="Web processes", default=2)
    web_threads: int = setting(number(1, 64), form="1–64", zh="每个网页进程的线程数", en="Threads of each web process", default=24)
    log_level: str = setting(
        one_of("debug", "info", "warning", "error"),
        form="debug | info | warning | error",
        zh="日志级别",
        en="How much is logged",
        default="info",
    )
    sms: str = setting(one_of(*SMS_CHOICES), form=" | ".join(SMS_CHOICES), zh="短信", en="Who sends text messages")
    sms_account: SmsAccount | None = setting(
        sms_account,
        form="absolute path of a 0600 file",
        zh="短信服务商的账号、签名和模板（TOML）",
        en="The account, signature and templates at the vendor of text messages (TOML)",
        default=None,
        secret=True,
    )
    police: str = setting(
        one_of(*PROVIDER_CHOICES), form="sandbox", zh="公安人口库核验", en="Who checks a name and number against the police register"
    )
    face: str = setting(one_of(*PROVIDER_CHOICES), form="sandbox", zh="实人核验", en="Who checks a live face")
    payment: str = setting(one_of(*PROVIDER_CHOICES), form="sandbox", zh="支付渠道", en="Who takes payments for top-ups")
    webhooks: str = setting(
        one_of("public", "loopback"),
        form="public | loopback",
        zh="推送的目的地；loopback 另准本机的 http（开发者的接收端），production 拒绝",
        en="Where webhooks may go; loopback also lets them go to http on this machine, a developer's receiver, and production refuses it",
        default="public",
    )

    @property
    def issuer(self) -> str:
        """Who signs tokens: the public address."""
        return self.public_url

    @property
    def production(self) -> bool:
        """Whether real residents are served."""
        return self.environment == "production"

    @property
    def sandboxes(self) -> tuple[str, ...]:
        """The providers that are played, not real."""
        return tuple(name for name in PROVIDERS if getattr(self, name) == "sandbox")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one variable."""

    name: str
    zh: str
    en: str


class SettingsRefused(Exception):
    """The settings do not allow a start; `faults` names everything that is wrong with them."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(faults)
        lines = [f"  {fault.name}: {fault.zh} · {fault.en}" for fault in faults]
        super().__init__("\n".join(["设置有误，不能启动 · The settings do not allow a start:", *lines]))


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises SettingsRefused naming every fault."""
    given = os.environ if environ is None else environ
    faults = list(_unknown(given))
    values: dict[str, Any] = {}
    for part in fields(Settings):
        try:
            values[part.name] = _value(part, given)
        except Unreadable as fault:
            faults.append(Fault(PREFIX + part.name.upper(), fault.zh, fault.en))
    faults.extend(_contradictions(values))
    if faults:
        raise SettingsRefused(faults)
    values["default_city"] = values["default_city"] or values["cities"][0]
    return Settings(**values)


def names() -> tuple[str, ...]:
    """The names of all variables."""
    return tuple(PREFIX + part.name.upper() for part in fields(Settings))


def _value(part: Field[Any], given: Mapping[str, str]) -> Any:
    raw = given.get(PREFIX + part.name.upper())
    if raw is None:
        if part.default is MISSING:
            raise Unreadable(zh=f"没有给出：{part.metadata['zh']}", en=f"is missing: {part.metadata['en']}")
        return part.default
    return part.metadata["read"](raw)


def _unknown(given: Mapping[str, str]) -> Iterator[Fault]:
    known = names()
    for name in sorted(given):
        if not name.startswith(PREFIX) or name in known or name.removeprefix(PREFIX).startswith(ELSEWHERE):
            continue
        near = difflib.get_close_matches(name, known, 1)
        yield Fault(
            name,
            *(
                ("没有这个设置" + (f"；是 {near[0]} 吗？" if near else "")),
                "no such setting" + (f"; did you mean {near[0]}?" if near else ""),
            ),
        )


def _contradictions(values: Mapping[str, Any]) -> Iterator[Fault]:
    played = [name for name in PROVIDERS if values.get(name) == "sandbox"]
    if values.get("environment") == "production":
        for name in played:
            yield Fault(PREFIX + name.upper(), "沙箱不能用于 production", "a sandbox cannot serve in production")
        if urlsplit(values.get("public_url") or "https:").scheme != "https":
            yield Fault(PREFIX + "PUBLIC_URL", "production 必须是 https", "must be https in production")
        if values.get("webhooks") == "loopback":
            yield Fault(PREFIX + "WEBHOOKS", "production 不向本机推送", "cannot go to this machine in production")
    elif played and "outside_url" in values and not values["outside_url"]:
        yield Fault(PREFIX + "OUTSIDE_URL", f"沙箱 {'、'.join(played)} 需要它", f"is needed by the sandboxes {', '.join(played)}")
    if values.get("sms") not in (None, "sandbox") and "sms_account" in values and values["sms_account"] is None:
        yield Fault(PREFIX + "SMS_ACCOUNT", f"{values['sms']} 需要它", f"is needed by {values['sms']}")
    elif values.get("sms") == "tencent" and "sms_account" in values and not values["sms_account"].app_id:
        yield Fault(PREFIX + "SMS_ACCOUNT", "tencent 需要 app_id", "tencent needs app_id")
    if values.get("default_city") and values["default_city"] not in values.get("cities", ()):
        yield Fault(PREFIX + "DEFAULT_CITY", "不在 CITYCARD_CITIES 之中", "is not among CITYCARD_CITIES")
