"""`citycard terminal`: a gate that decides without network, for trying out (docs/city-code.md)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import click

from citycode import Refused
from command.gate_folder import GateFolder

FOLDER = click.option("--folder", type=click.Path(path_type=Path), required=True, help="闸机的文件夹 · the gate's own folder")


@click.group()
def terminal() -> None:
    """离线闸机 · a gate that verifies city codes without network."""


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
    GateFolder(folder).settle(found, address=program["address"], issuer=program["address"])
    click.echo(folder)


@terminal.command()
@FOLDER
def sync(folder: Path) -> None:
    """联网：取信任列表和黑名单，上传交易 · online: fetch lists, hand over trades."""
    click.echo(json.dumps(GateFolder(folder).sync(), ensure_ascii=False, indent=1))


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
