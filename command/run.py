"""`citycard run`: everything a city's platform needs, started, looked after and ended as one."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import FrameType

import click

import migrations
from command import children, pages, ports
from command.embedded.errors import CannotStart
from command.embedded.processes import last_lines
from command.home import Home, hold, home, is_held, write_private
from command.lan import Opening, open_to_lan
from command.progress import say, step
from command.seeding import seed
from command.servers import Servers
from command.supervisor import Child, Supervisor, kill_left_behind
from config import settings

FIRST_PORT, FIRST_OUTSIDE_PORT = 8080, 8180
READY_SECONDS = 120.0  # a slow machine makes its first city
LOOK_SECONDS = 0.1
DEMO = {
    "CITYCARD_ENVIRONMENT": "demo",
    "CITYCARD_CITIES": "yunchuan,linhu",
    **{f"CITYCARD_{name.upper()}": "sandbox" for name in settings.PROVIDERS},
    # A partner's program on this machine, as in the story.
    "CITYCARD_WEBHOOKS": "loopback",
}


class Ended(BaseException):
    """Somebody asked the run to end: Ctrl-C, SIGTERM or a closed terminal."""


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="端口 · the port to listen on")
@click.option("--host", help="监听地址 · the address to listen on (127.0.0.1)")
@click.option(
    "--lan",
    is_flag=False,
    flag_value="",
    metavar="[ADDRESS|NAME]",
    help="局域网模式，真手机可用 HTTPS 打开 · LAN mode: a real phone opens the app over HTTPS",
)
def run(port: int | None, host: str | None, lan: str | None) -> None:
    """启动 · start everything; Ctrl-C ends it."""
    here = home()
    here.make_folder()
    options = {name: value for name, value in (("CITYCARD_PORT", str(port or "")), ("CITYCARD_HOST", host or "")) if value}
    while True:
        with hold(here.lock) as still_ours:
            if still_ours is not None:
                _run_or_refuse(here, options, lan, still_ours)
                return
        if _joined(here):
            return


def _run_or_refuse(here: Home, options: Mapping[str, str], lan: str | None, still_ours: Callable[[], bool]) -> None:
    here.note.unlink(missing_ok=True)
    try:
        _run(here, options, lan, still_ours)
    except (CannotStart, settings.SettingsRefused) as fault:
        raise click.ClickException(str(fault)) from None
    finally:
        if still_ours():
            here.note.unlink(missing_ok=True)


def _joined(here: Home) -> bool:
    """Another start was first: wait until it is ready and say where it answers; False when it ended instead."""
    if here.running() is None:
        say("另一个启动正在进行，等它就绪", "another start is under way, waiting for it")
    deadline = time.monotonic() + READY_SECONDS
    while is_held(here.lock):
        note = here.running()
        if note is not None and note["ready"]:
            say(f"已经在运行：{note['address']}（进程 {note['pid']}）", f"already running at {note['address']} (process {note['pid']})")
            return True
        if time.monotonic() > deadline:
            raise click.ClickException("另一个启动一直没有就绪，请看它的输出 · another start does not become ready; see what it says")
        time.sleep(0.1)
    return False


def _run(here: Home, options: Mapping[str, str], lan: str | None, still_ours: Callable[[], bool]) -> None:
    supervisor = Supervisor()
    servers = Servers(here)
    _end_on_signals(supervisor)
    with ExitStack() as stack:
        try:
            _start(here, servers, supervisor, stack, options, lan)
            _look_after(servers, supervisor, still_ours)
        except Ended:
            print(flush=True)
            say("正在停止", "stopping")
    say(f"已停止；数据在 {here.folder}", f"stopped; the data are in {here.folder}")


def _start(here: Home, servers: Servers, supervisor: Supervisor, stack: ExitStack, options: Mapping[str, str], lan: str | None) -> None:
    began = time.monotonic()
    if lan is not None and os.environ.get("CITYCARD_ENVIRONMENT") == "production":
        raise CannotStart(zh="局域网模式只用于演示，不用于 production", en="LAN mode is for demos, never for production")
    here.prepare()
    if kill_left_behind(here.folder):
        say("清理了上次被强行结束的进程", "ended what a killed run had left behind")
    opening = None if lan is None else open_to_lan(here, lan, stack.callback)
    stack.callback(servers.stop)
    servers.start(os.environ)
    environment = _environment(here, servers, {**options, **(opening.environment() if opening else {})}, stack)
    read = settings.read(environment)
    _prepare_data(read)
    stack.callback(supervisor.end)
    _start_children(here, read, environment, supervisor, opening)
    _note(here, read, environment)
    _tell(here, read, time.monotonic() - began)
    if opening:
        opening.tell(sys.stdout)
    if not read.production and pages.wanted_by_run():
        # Only now: the API answers already, and whoever opens a page meanwhile sees how far the build is.
        say(f"正在构建页面，进度见 {read.public_url}/app/", "building the pages; that address shows how far it is")
        supervisor.start(children.pages(here))


def _look_after(servers: Servers, supervisor: Supervisor, still_ours: Callable[[], bool]) -> None:
    """Until told to end, or until somebody has taken the data folder away: a next start would not know of this one."""
    supervisor.servers.extend(servers.watchers())
    while still_ours():
        supervisor.look()
        time.sleep(LOOK_SECONDS)
    say("数据目录被移走了，停止", "the data folder was taken away, ending", mark="!")


def _end_on_signals(supervisor: Supervisor) -> None:
    asked = False

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:  # the second time: no more patience with the children
            supervisor.kill()
            return
        asked = True
        raise Ended

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def _environment(here: Home, servers: Servers, options: Mapping[str, str], stack: ExitStack) -> dict[str, str]:
    """The variables of this run: what the caller gave, over what a demo brings itself; production gets no help."""
    given = {name: value for name, value in os.environ.items() if name.startswith("CITYCARD_")} | dict(options)
    if given.get("CITYCARD_ENVIRONMENT") == "production":
        return {**servers.environment(), **given}
    address = given.get("CITYCARD_HOST", "127.0.0.1")
    wanted = given.get("CITYCARD_PORT", "")
    chosen, release = ports.reserve(address, int(wanted) if wanted.isdigit() else FIRST_PORT, fixed=bool(wanted))
    stack.callback(release)
    outside, release = ports.reserve("127.0.0.1", FIRST_OUTSIDE_PORT, fixed=False)
    stack.callback(release)
    brought = {
        **DEMO,
        **servers.environment(),
        "CITYCARD_ROOT_KEY": str(here.root_key),
        "CITYCARD_DATA_DIR": str(here.folder),
        "CITYCARD_PUBLIC_URL": f"http://localhost:{chosen}",
        "CITYCARD_OUTSIDE_URL": f"http://127.0.0.1:{outside}",
    }
    return {**brought, **given, "CITYCARD_PORT": str(chosen)}


def _prepare_data(read: settings.Settings) -> None:
    if read.owner_database_url is not None:
        with step("数据表", "migrations"):
            migrations.upgrade(read.owner_database_url)
    if not read.production:
        with step("演示城市", "demo city"):
            seed(read)


def _start_children(
    here: Home, read: settings.Settings, environment: Mapping[str, str], supervisor: Supervisor, opening: Opening | None
) -> None:
    played = bool(read.sandboxes and read.outside_database_url)
    outside_port = int((read.outside_url or ":0").rpartition(":")[2])
    if played:
        supervisor.start(children.outside(here, read, outside_port, opening.trust() if opening else None))
    supervisor.start(children.web(here, environment))
    with step("网页服务", "web"):
        _wait_until_answering(read.port, "/.well-known/jwks.json", supervisor)
    # The worker comes last: nobody waits for it, and its start would slow down those that somebody waits for.
    supervisor.start(children.worker(here, environment))
    if played:
        with step("外部沙箱", "outside"):
            _wait_until_answering(outside_port, "/.well-known/jwks.json", supervisor)
    for child in opening.children(here, children.bare, web_port=read.port, outside_port=outside_port) if opening else ():
        supervisor.start(child)


def _wait_until_answering(port: int, path: str, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if _status(port, path) in range(200, 500):
            return
        supervisor.look()
        _give_up_on(supervisor.hopeless())
        time.sleep(0.05)
    raise CannotStart(zh=f"端口 {port} 没有在 {READY_SECONDS:.0f} 秒内应答", en=f"Port {port} did not answer within {READY_SECONDS:.0f} s")


def _give_up_on(child: Child | None) -> None:
    if child is not None:
        raise CannotStart(
            zh=f"{child.name} 启动不了；日志 {child.log}",
            en=f"{child.name} does not start; its log ends with:",
            shown=last_lines(child.log),
        )


def _status(port: int, path: str) -> int:
    """What a process answers to a first request; 0 when nothing does."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", path)
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        line.close()


def _note(here: Home, read: settings.Settings, environment: Mapping[str, str]) -> None:
    ours = {name: value for name, value in environment.items() if name in settings.names()}
    note = {"pid": os.getpid(), "address": read.public_url, "ready": True, "environment": ours}
    write_private(here.note, json.dumps(note, indent=1))


def _tell(here: Home, read: settings.Settings, seconds: float) -> None:
    """What the reader needs now: the address, who one can be, where the data lie, how to stop."""
    lines = [
        "",
        f"  就绪 · ready  {seconds:.1f} s",
        f"  地址 · address      {read.public_url}",
        f"  应用 · app          {read.public_url}/app/",
        f"  柜台 · counter      {read.public_url}/desk/",
        "  试用 · try it       make newcomer (居民 · a resident)   make terminal (柜台登记码 · a counter's code)",
        "  身份 · who to be    make people",
        "  故事 · the story    make demo",
        f"  数据 · data         {'  '.join(here.places())}",
        "  停止 · stop         Ctrl-C (make stop)",
    ]
    if read.sandboxes:
        lines.insert(3, f"  沙箱 · sandbox      {read.outside_url}  ({', '.join(read.sandboxes)})")
    print("\n".join(lines) + "\n", flush=True)
