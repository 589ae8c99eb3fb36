"""`citycard pages`: builds the pages that are missing or older than their sources, and says how far it is."""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from command.home import ROOT, home
from command.node import Node, NoNode, find_node
from command.page_sources import made_from, sum_of_files, sum_of_sources, write_mark
from command.progress import say

WEB = ROOT / "web"
PACKED = {".js", ".css", ".html", ".svg", ".json", ".wasm", ".webmanifest"}
SMALLEST_PACKED = 600
BUILD_SECONDS, PACKAGES_SECONDS = 900.0, 1800.0


@dataclass(frozen=True, slots=True)
class Room:
    """The sources of one kind of pages, built by `npm run build` into the folder named PAGES_OUT."""

    name: str
    zh: str
    en: str

    @property
    def folder(self) -> Path:
        """Where the sources are."""
        return WEB / self.name

    @property
    def built(self) -> Path:
        """What the program serves."""
        return self.folder / "dist" / "pages"

    def stale(self) -> bool:
        """Whether the built pages are missing or were made from other sources."""
        return made_from(self.built) != sum_of_sources(self.folder)


ALL = (Room("resident", "居民应用", "resident's app"), Room("desk", "柜台", "counter"))
ROOMS = tuple(room for room in ALL if (room.folder / "index.html").exists())
Teller = Callable[[float, str, str], None]


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([room.name for room in ROOMS]))
@click.option("--all", "everything", is_flag=True, help="全部重建 · build also what is up to date")
def pages(names: tuple[str, ...], everything: bool) -> None:
    """构建页面 · build the pages that are missing or out of date."""
    wanted = [room for room in ROOMS if room.name in (names or [each.name for each in ROOMS]) and (everything or room.stale())]
    note = home().folder / "pages.json"
    if not wanted:
        note.unlink(missing_ok=True)
        say("页面是最新的", "the pages are up to date")
        return
    try:
        build(wanted, teller(note), everything=everything)
    except (NoNode, BuildFailed) as fault:
        write_note(note, {"failed": True, "zh": f"页面没有构建：{fault.zh}", "en": f"The pages were not built: {fault.en}"})
        raise click.ClickException(f"{fault.zh}\n{fault.en}") from None
    note.unlink(missing_ok=True)


def wanted_by_run() -> bool:
    """Whether `citycard run` should build: some pages are missing or out of date, and CITYCARD_RUN_PAGES is not `off`."""
    return os.environ.get("CITYCARD_RUN_PAGES") != "off" and any(room.stale() for room in ROOMS)


def build(rooms: Sequence[Room], tell: Teller, *, everything: bool = False) -> None:
    """Build these rooms one after the other; two builds at once take turns. Raises NoNode or BuildFailed."""
    tell(0.02, "准备 Node", "preparing Node")
    node = find_node()
    for number, room in enumerate(rooms):
        with _turn(room):
            if not everything and not room.stale():  # another build was first
                continue
            _build_room(room, node, _part(tell, number, len(rooms)))


def _build_room(room: Room, node: Node, tell: Teller) -> None:
    began = time.monotonic()
    tell(0.05, f"{room.zh}：安装依赖", f"{room.en}: installing packages")
    install(room.folder, node)
    tell(0.45, f"{room.zh}：编译", f"{room.en}: compiling")
    fresh, mark = room.folder / "dist" / "new", sum_of_sources(room.folder)
    shutil.rmtree(fresh, ignore_errors=True)
    _run([*node.npm, "run", "build"], room.folder, node, BUILD_SECONDS, out=fresh)
    if not (fresh / "index.html").exists():
        raise BuildFailed(f"{room.zh} 没有产生 index.html", f"{room.en} made no index.html")
    tell(0.95, f"{room.zh}：压缩", f"{room.en}: compressing")
    pack(fresh)
    write_mark(fresh, mark)
    _swap(fresh, room.built)
    tell(1.0, f"{room.zh}：完成", f"{room.en}: done")
    say(f"{room.zh}页面已构建", f"{room.en} built  {time.monotonic() - began:.0f} s", mark="✓")


def install(folder: Path, node: Node) -> None:
    """Install the locked packages of a folder, unless they are there."""
    lock, mark = folder / "package-lock.json", folder / "node_modules" / ".made-from"
    wanted = sum_of_files([lock])
    if mark.exists() and mark.read_text() == wanted:
        return
    # The scripts of packages are not run: nothing needs them, and they could do anything.
    _run([*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"], folder, node, PACKAGES_SECONDS)
    mark.write_text(wanted)


def pack(folder: Path) -> None:
    """Lay a compressed copy beside every file that becomes smaller, so that serving costs nothing."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in PACKED and path.stat().st_size >= SMALLEST_PACKED:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


class BuildFailed(Exception):
    """The packages could not be installed, or the build ended with a fault."""

    def __init__(self, zh: str, en: str) -> None:
        self.zh, self.en = zh, en
        super().__init__(zh, en)


def _run(command: list[str], folder: Path, node: Node, seconds: float, *, out: Path | None = None) -> None:
    environment = {**os.environ, "PATH": f"{node.folder}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "1", "NO_COLOR": "1"}
    environment["NODE_ENV"] = "production" if out else ""
    if out is not None:
        environment |= {"PAGES_OUT": str(out), "UNI_OUTPUT_DIR": str(out)}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise BuildFailed(f"{command[-1]} 超过 {seconds:.0f} 秒", f"{command[-1]} took more than {seconds:.0f} s") from None
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        print(last, file=sys.stderr)
        raise BuildFailed(f"在 {folder.name} 中失败：{' '.join(command[1:])}", f"failed in {folder.name}: {' '.join(command[1:])}")


def _swap(fresh: Path, built: Path) -> None:
    """Put the fresh pages in the place of the old ones; between two renames a reader sees the page of progress at worst."""
    old = built.with_name("old")
    shutil.rmtree(old, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        built.rename(old)
    fresh.rename(built)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _turn(room: Room) -> Iterator[None]:
    with (room.folder / ".build.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _part(tell: Teller, number: int, of: int) -> Teller:
    return lambda share, zh, en: tell((number + share) / of, zh, en)


def teller(note: Path) -> Teller:
    """Writes how far the build is to where the program reads it for its page of progress."""
    return lambda share, zh, en: write_note(note, {"share": round(share, 2), "zh": zh, "en": en})


def write_note(note: Path, said: dict[str, object]) -> None:
    """Write the note whole or not at all."""
    note.parent.mkdir(parents=True, exist_ok=True)
    half = note.with_name(note.name + ".half")
    half.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    half.replace(note)
