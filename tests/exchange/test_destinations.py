"""Threat 19: whatever address a partner names, and whatever its name server says, no connection is made inside."""
# ruff: noqa: E501  # the tables of addresses read better in lines of one kind

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from services.exchange.destinations import Refused, chosen, destination, public
from services.exchange.sending import Sender

HOSTILE_URLS = [
    # Not https, or no URL at all.
    *("http://hooks.library.cn/", "gopher://hooks.library.cn/", "file:///etc/passwd", "ftp://hooks.library.cn/", "dict://hooks.library.cn:11211/"),
    *("ldap://hooks.library.cn/", "jar:https://hooks.library.cn/", "//hooks.library.cn/", "https:/hooks.library.cn", "https:hooks.library.cn"),
    *("javascript:alert(1)", "https://", "https:///path", "", "hooks.library.cn", "unix:///var/run/docker.sock", "data:text/plain,x"),
    # Addresses in every spelling: dotted, short, decimal, octal, hexadecimal, mixed.
    *("https://127.0.0.1/", "https://127.1/", "https://127.0.1/", "https://2130706433/", "https://017700000001/", "https://0x7f000001/"),
    *("https://0x7f.0x0.0x0.0x1/", "https://0177.0.0.1/", "https://0177.0x0.0.1/", "https://0/", "https://0.0.0.0/", "https://00000/"),
    *("https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data/"),
    *("https://2852039166/", "https://0xa9fea9fe/", "https://0251.0376.0251.0376/", "https://100.64.0.1/", "https://100.100.100.200/"),
    *("https://168.63.129.16/", "https://192.0.0.192/", "https://224.0.0.1/", "https://255.255.255.255/", "https://8.8.8.8/"),
    *("https://127.0.0.1.:443/", "https://1.2.3.4.5/", "https://256.256.256.256/", "https://127.0.0.1%00.library.cn/"),
    # IPv6, and IPv4 within it.
    *("https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[0:0:0:0:0:ffff:169.254.169.254]/"),
    *("https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[fe80::1%25eth0]/", "https://[fc00::1]/", "https://[fd00:ec2::254]/"),
    *("https://[ff02::1]/", "https://[::127.0.0.1]/", "https://[2606:4700::1111]/", "https://[", "https://[::1", "https://[v1.x]/"),
    # Names for what is inside.
    *("https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://db.localhost/", "https://printer.local/", "https://pg.internal/"),
    *("https://metadata.google.internal/", "https://kubernetes.default.svc/", "https://router.lan/", "https://nas.home.arpa/", "https://db/"),
    *("https://x.onion/", "https://1.0.0.127.in-addr.arpa/", "https://hooks.library.cn./", "https://-a.cn/", "https://a..cn/", "https://.cn/"),
    # Who is meant depends on who reads it.
    *("https://user@hooks.library.cn/", "https://user:pass@127.0.0.1/", "https://hooks.library.cn@127.0.0.1/", "https://127.0.0.1\\@hooks.library.cn/"),
    *("https://hooks.library.cn\\@127.0.0.1/", "https://hooks.library.cn#@127.0.0.1/", "https://hooks.library.cn/#x", "https://hooks.library.cn\t/"),
    *("https://hooks.library.cn\r\nHost: 127.0.0.1/", "https://hooks .library.cn/", " https://hooks.library.cn/", "https://hooks.library.cn\x00/"),
    *("https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://ｌocalhost/", "https://hooks_1.library.cn/", "https://%6cocalhost/"),
    # Odd ports.
    *("https://hooks.library.cn:22/", "https://hooks.library.cn:25/", "https://hooks.library.cn:80/", "https://hooks.library.cn:5432/"),
    *("https://hooks.library.cn:6379/", "https://hooks.library.cn:0/", "https://hooks.library.cn:65536/", "https://hooks.library.cn:-1/"),
    *("https://hooks.library.cn:/", "https://hooks.library.cn:443x/", "https://hooks.library.cn:99999999999/", "https://" + "a" * 500 + ".cn/"),
]  # fmt: skip
HOSTILE_ADDRESSES = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.255.255.254"),
    *("168.63.129.16", "169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1"),
    *("192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "192.175.48.1", "198.18.0.1", "198.19.255.255"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::", "2620:4f:8000::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
    *("fe80::1%eth0", "2606:4700::1111%eth0", "fec0::1", "ff02::1", "ff0e::1", "1::1", "no address", ""),
]  # fmt: skip
connections: list[Any] = []
_watching = [False]


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching[0] and event == "socket.connect":
        connections.append(arguments[1])


sys.addaudithook(_watch)


@pytest.fixture
def connected() -> Iterator[list[Any]]:
    """Every connection this process tries, by whatever library, as the interpreter itself sees it."""
    connections.clear()
    _watching[0] = True
    yield connections
    _watching[0] = False


class Names:
    """A name server that is asked; answers in turn, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_there_are_enough_hostile_ones() -> None:
    assert len(set(HOSTILE_URLS)) >= 80
    assert len(set(HOSTILE_ADDRESSES)) >= 50


def test_no_hostile_url_is_connected_to_or_even_resolved(connected: list[Any]) -> None:
    names = Names(["8.8.8.8"])
    sender = Sender(resolver=names)
    for url in HOSTILE_URLS:
        outcome = sender.post(url, {}, b"{}")
        assert outcome.status is None, url
        assert (outcome.fault or "").startswith("refused_"), url
    assert names.asked == 0
    assert connected == []


def test_no_name_leads_to_a_hostile_address(connected: list[Any]) -> None:
    """Alone, and hidden before or behind a public one."""
    names = Names([])
    sender = Sender(resolver=names)
    for address in HOSTILE_ADDRESSES:
        assert not public(address), address
        for answer in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
            names.answers = [answer]
            assert sender.post("https://hooks.library.cn/", {}, b"{}").fault == "refused_address", answer
    names.answers = [[]]
    assert sender.post("https://hooks.library.cn/", {}, b"{}").fault == "refused_address"
    assert connected == []


def test_a_name_that_changes_between_look_and_connection_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolved once, and the connection goes to the number that was checked."""
    dialled: list[Any] = []

    def dial(address: tuple[str, int], timeout: float) -> socket.socket:
        dialled.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", dial)
    names = Names(["93.184.215.14"], ["127.0.0.1"])
    assert Sender(resolver=names).post("https://rebind.library.cn/", {}, b"{}").fault == "no_answer"
    assert names.asked == 1
    assert dialled == [("93.184.215.14", 443)]
    assert Sender(resolver=names).post("https://rebind.library.cn/", {}, b"{}").fault == "refused_address"
    assert len(dialled) == 1


@pytest.mark.parametrize(
    "url", ["https://hooks.library.cn/", "https://hooks.library.cn:8443/a?b=c", "https://xn--fiqs8s.cn/x", "https://a.b-c.example.com"]
)
def test_an_ordinary_address_is_taken(url: str) -> None:
    assert destination(url).secure


@pytest.mark.parametrize("address", ["8.8.8.8", "223.5.5.5", "2400:3200::1", "2606:4700::1111"])
def test_a_public_address_is_taken(address: str) -> None:
    assert chosen([address]) == address


def test_the_exception_for_a_developer_is_loopback_and_nothing_else(connected: list[Any]) -> None:
    for url in (
        "http://10.0.0.1/",
        "http://hooks.library.cn/",
        "http://127.0.0.2/",
        "http://[::1]/",
        "http://2130706433/",
        "https://127.0.0.1/",
    ):
        with pytest.raises(Refused):
            destination(url, loopback=True)
    assert Sender(loopback=True, resolver=Names(["10.0.0.1"])).post("http://localhost/", {}, b"").fault == "refused_address"
    assert connected == []


class Listening:
    """A receiver on this machine that answers with these bytes, or drips them."""

    def __init__(self, answer: bytes, *, drip: float = 0) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/hook?x=1"
        self.answer, self.drip, self.got, self.count = answer, drip, b"", 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            with line:
                while not self.got.endswith(b"}"):
                    self.got += line.recv(65536)
                try:
                    for at in range(0, len(self.answer), 1 if self.drip else max(1, len(self.answer))):
                        line.sendall(self.answer[at : at + 1] if self.drip else self.answer)
                        time.sleep(self.drip)
                except OSError:
                    continue

    def __enter__(self) -> Listening:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def test_a_request_arrives_as_it_was_meant() -> None:
    with Listening(b"HTTP/1.1 204 No Content\r\n\r\n") as receiver:
        outcome = Sender(loopback=True).post(receiver.url, {"webhook-id": "delivery_x"}, b'{"a":1}')
    assert outcome.status == 204
    head, _, _ = receiver.got.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"webhook-id: delivery_x" in head


def test_a_redirect_is_not_followed(connected: list[Any]) -> None:
    with Listening(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n") as receiver:
        outcome = Sender(loopback=True).post(receiver.url, {}, b"{}")
    assert (outcome.status, outcome.done) == (302, False)
    assert len(connected) == 1


def test_an_endless_answer_is_left_unread() -> None:
    with Listening(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 500_000) as receiver:
        assert Sender(loopback=True).post(receiver.url, {}, b"{}").done


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200" + b"x" * 70_000, b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200])
def test_nonsense_is_no_answer(answer: bytes) -> None:
    with Listening(answer) as receiver:
        assert Sender(loopback=True).post(receiver.url, {}, b"{}").fault == "no_answer"


def test_one_who_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.exchange.sending.TOTAL_SECONDS", 0.6)
    begun = time.monotonic()
    with Listening(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, drip=0.2) as receiver:
        assert not Sender(loopback=True).post(receiver.url, {}, b"{}").done
    assert time.monotonic() - begun < 4
