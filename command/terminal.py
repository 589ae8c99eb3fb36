"""`citycard terminal`: a counter's enrolment code, and a gate that decides without network, for trying out (docs/city-code.md)."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import click

from citycode import Refused
from command import enrolling
from command.gate_folder import GateFolder
from command.home import current_settings
from command.program import program
from core import clock, db, ids
from core.actors import system
from core.errors import CityError

FOLDER = click.option("--folder", type=click.Path(path_type=Path), required=True, help="闸机的文件夹 · the gate's own folder")


@click.group()
def terminal() -> None:
    """终端 · counters that enrol (enrol), and a gate that verifies city codes without network (settle, sync, scan)."""


@terminal.command()
@click.option("--like", default="T1", show_default=True, help="同哪个演示终端的商户和功能 · merchant and functions of which demo terminal")
@click.option("--name", default="试用柜台", show_default=True, help="名称 · its name")
def enrol(like: str, name: str) -> None:
    """登记码 · register one more counter terminal of the demo city, and print the code that its page asks for."""
    settings = current_settings()
    if settings.production:
        raise click.ClickException("正式环境由管理员登记终端（POST /api/terminals） · in production an administrator registers terminals")
    with program(settings):
        made = enrolling.register_like(settings, like, name=name)
    click.echo(f"  登记码 · enrolment code   {made.enrolment_code}")
    click.echo(f"  在这里输入 · enter it at   {settings.public_url}/desk/")
    click.echo(f"  {made.expires_at.astimezone(clock.CHINA):%Y-%m-%d %H:%M} 前有效，只能用一次 · works once, until then")


@terminal.command()
@FOLDER
@click.option("--code", default="T3", show_default=True, help="演示终端编号 · which demo terminal it is")
def settle(folder: Path, code: str) -> None:
    """设为某个演示终端 · make the folder that of a demo terminal."""
    told = subprocess.run([sys.executable, "-m", "command", "people", "--all"], capture_output=True, text=True, check=False)
    if told.returncode:
        raise click.ClickException(told.stderr.strip())
    program = json.loads(told.stdout)
    found = next((each for city in program["cities"] for each in city["terminals"] if each["code"] == code), None)
    if found is None:
        raise click.ClickException(f"没有终端 {code} · no terminal {code}")
    GateFolder(folder).settle(found, address=program["address_here"], issuer=program["address"])
    click.echo(folder)


@terminal.command()
@click.argument("terminal_id")
@click.option("--reason", required=True, help="核实了什么 · what was found")
def release(terminal_id: str, reason: str) -> None:
    """解除暂停 · let a terminal go on that was stopped by too many wrong codes."""
    import auth
    from app import create_app
    from cards.codes import releasing

    with create_app(current_settings()).app_context():
        try:
            with db.transaction():
                identity = ids.parse("terminal", terminal_id)
                releasing.release(system("command", auth.terminal_city(identity)), identity, reason=reason)
        except CityError as refusal:
            raise click.ClickException(f"{refusal.text('zh-CN')}\n{refusal.text('en')}") from None
        finally:
            db.drop_connection()
    click.echo(f"已解除 · released {terminal_id}")


@terminal.command()
@FOLDER
def sync(folder: Path) -> None:
    """联网：取信任列表和黑名单，上传交易 · online: fetch lists, hand over trades."""
    click.echo(json.dumps(GateFolder(folder).sync(), ensure_ascii=False, indent=1))


@terminal.command()
@FOLDER
def watch(folder: Path) -> None:
    """保持联网：不断取黑名单，Ctrl-C 结束 · stay online and keep the hotlist fresh, until Ctrl-C."""
    try:
        GateFolder(folder).watch(threading.Event(), heard=lambda hotlist: click.echo(f"{hotlist.version}: {len(hotlist.entries)}"))
    except KeyboardInterrupt:
        return


@terminal.command()
@FOLDER
@click.argument("code")
@click.argument("amount_fen", type=int)
def scan(folder: Path, code: str, amount_fen: int) -> None:
    """不联网扫码 · scan a code without network; "-" reads it from standard input."""
    gate = GateFolder(folder)
    text = sys.stdin.readline().rstrip("\n") if code == "-" else code
    try:
        gate.scan(text, amount_fen, now=time.time() + gate.ahead())
    except Refused as refusal:
        click.echo(f"拒绝 · refused: {refusal.reason}")
        raise SystemExit(1) from None
    click.echo("通过 · accepted")
