"""What the machine can do at best: the frozen files, run as they are."""

from bench import granian, load
from bench.ground import Ground, Taken
from bench.limits import verify as bare
from bench.machine import Meter


def post_many_c16(ground: Ground, seconds: float) -> Taken:
    """The bare ledger, payer and payee anyone, 16 clients."""
    return ground.pgbench("post_many.sql", 16, seconds)


def post_many_c8(ground: Ground, seconds: float) -> Taken:
    """The bare ledger, payer and payee anyone, 8 clients."""
    return ground.pgbench("post_many.sql", 8, seconds)


def post_hot_c16(ground: Ground, seconds: float) -> Taken:
    """The bare ledger, one payee, 16 clients."""
    return ground.pgbench("post_hot.sql", 16, seconds)


def verify(_ground: Ground, seconds: float) -> Taken:
    """One ES256 signature after the other, in this process."""
    meter = Meter(server=None, database=None)
    check = bare.checker()
    meter.start()
    count, _ = bare.cpu_us(check, min(seconds, 1.0))
    meter.stop()
    return Taken(count, meter.seconds, meter)


def hello(ground: Ground, seconds: float) -> Taken:
    """Bare Flask, served as the program is served."""
    port = granian.free_port()
    command = granian.bare("bench.limits.hello:app", port)
    web = ground.web("hello", lambda: granian.start(command, port, ground.home / "hello.log", {}))
    requests = [load.request("GET", "/hello")] * int(seconds * 40000)
    return ground.http(web, requests, connections=32, seconds=seconds, expect=200)


CASES = {
    "post_many_c16": post_many_c16,
    "post_many_c8": post_many_c8,
    "post_hot_c16": post_hot_c16,
    "verify": verify,
    "hello": hello,
}
