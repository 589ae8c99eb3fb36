"""What LAN mode opens: which address, under which name, and the three listeners."""

from __future__ import annotations

import ipaddress
import re
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

import segno

from command import ports
from command.embedded.errors import CannotStart
from command.home import Home
from command.lan.authority import NAMES, NETWORKS, Address, Authority
from command.supervisor import Child

FIRST_PORT = 8443
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
Bare = Callable[[Home], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Opening:
    """One address of this machine with three ports: the app and the API, the sandbox's pages for residents, the certificate to download."""

    address: Address
    host: str
    app_port: int
    sandbox_port: int
    certificate_port: int
    authority: Authority

    @property
    def app_url(self) -> str:
        """Where a phone opens the app; also the issuer of tokens."""
        return f"https://{self.host}:{self.app_port}"

    @property
    def sandbox_url(self) -> str:
        """Where a phone sees its messages, the payment page and the face check."""
        return f"https://{self.host}:{self.sandbox_port}"

    @property
    def certificate_url(self) -> str:
        """Where a phone gets the certificate; plain HTTP, because it trusts nothing of ours before."""
        return f"http://{self.address}:{self.certificate_port}"

    def environment(self) -> dict[str, str]:
        """The settings of a run that is seen at these addresses."""
        return {"CITYCARD_PUBLIC_URL": self.app_url, "CITYCARD_OUTSIDE_PUBLIC_URL": self.sandbox_url}

    def trust(self) -> dict[str, str]:
        """What makes a program on this machine trust the certificate; it is the only one `outside` meets."""
        return {"SSL_CERT_FILE": str(self.authority.certificate)}

    def children(self, here: Home, bare: Bare, *, web_port: int, outside_port: int) -> list[Child]:
        """The three listeners, each a process that passes on what is on its list and nothing else."""
        doors = (
            ("lan", "platform", self.app_port, str(web_port)),
            ("lan-sandbox", "sandbox", self.sandbox_port, str(outside_port)),
            ("lan-certificate", "certificate", self.certificate_port, self.app_url),
        )
        return [
            Child(
                name,
                [
                    sys.executable,
                    "-m",
                    "command.lan.serving",
                    kind,
                    str(self.address),
                    self.host,
                    str(port),
                    str(self.authority.folder),
                    behind,
                ],
                bare(here),
                here.logs / f"{name}.log",
            )
            for name, kind, port, behind in doors
        ]

    def tell(self, out: TextIO) -> None:
        """Say plainly what is open, and how a phone gets in."""
        lines = [
            "  局域网 · LAN",
            f"    1. 手机打开，安装证书 · on the phone, install the certificate   {self.certificate_url}",
            f"       指纹 · SHA-256   {self.authority.fingerprint()}",
            f"    2. 再打开 · then open                                           {self.app_url}/app/",
            f"    已对同一网络开放 {self.address} 的端口 {self.app_port}、{self.sandbox_port}、{self.certificate_port}：",
            "    网络里任何人都能看到演示城市的短信，也就能以任何演示居民的身份登录。只用于演示。",
            f"    Open to this network: ports {self.app_port}, {self.sandbox_port} and {self.certificate_port} of {self.address}.",
            "    Whoever is in it can read the demo city's text messages, and so sign in as anybody of it. For demos alone.",
        ]
        if not _is_address(self.host):
            lines.insert(4, f"       手机须能解析 {self.host} · the phone must find {self.host}")
        else:
            lines.insert(4, "       地址是数字时没有通行密钥 · no passkeys under a bare address: --lan NAME.local")
        print("\n".join(lines), file=out)
        segno.make(self.certificate_url, error="m").terminal(out=out, compact=True, border=2)
        print(file=out, flush=True)


def open_to_lan(here: Home, wanted: str, keep: Callable[[Callable[[], None]], Any]) -> Opening:
    """Choose address and ports for `--lan` and make the certificates; `wanted` is empty, an address of this machine, or a name.

    CannotStart where the address is none of a local network, or the name none that belongs to one.
    """
    name = "" if not wanted or _is_address(wanted) else _local_name(wanted.lower().rstrip("."))
    address = Address(wanted) if _is_address(wanted) else _own_address()
    if not any(address in network for network in NETWORKS):
        raise CannotStart(
            zh=f"{address} 不是局域网地址；请指明一个：--lan 192.168.…",
            en=f"{address} is no address of a local network; name one: --lan 192.168.…",
        )
    if not _is_ours(address):
        raise CannotStart(zh=f"{address} 不是这台机器的地址", en=f"{address} is no address of this machine")
    chosen: list[int] = []
    for _ in range(3):
        port, release = ports.reserve(str(address), chosen[-1] + 1 if chosen else FIRST_PORT, fixed=False)
        keep(release)
        chosen.append(port)
    app, sandbox, certificate = chosen
    made = Opening(address, name or str(address), app, sandbox, certificate, Authority(here.folder / "lan"))
    made.authority.prepare([address], [name] if name else [])
    return made


def _own_address() -> Address:
    """The address under which this machine goes out; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            raise CannotStart(zh="这台机器没有连接网络", en="This machine is in no network") from None
        return Address(probe.getsockname()[0])


def _local_name(name: str) -> str:
    """A name that belongs to a local network: for another one the phone would trust nothing of ours."""
    if re.fullmatch(rf"(?:{LABEL}\.)+(?:{'|'.join(map(re.escape, NAMES))})", name) is None:
        allowed = ", ".join(f".{each}" for each in NAMES)
        raise CannotStart(zh=f"名称应以 {allowed} 之一结尾：{name}", en=f"A name must end with one of {allowed}: {name}")
    return name


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_ours(address: Address) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
