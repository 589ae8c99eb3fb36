"""`citycard api`: writes the API's types for the pages anew, from the document of the program that runs here."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import click

from command.home import ROOT, current_settings
from command.node import NoNode, find_node
from command.pages import BuildFailed, install
from command.progress import say

SHARED = ROOT / "web" / "shared"
TYPES = SHARED / "api" / "schema.d.ts"


@click.command()
def api() -> None:
    """接口类型 · write the API's types for the pages anew."""
    from app import create_app

    document: dict[str, Any] = json.loads(create_app(current_settings()).test_client().get("/openapi.json").data)
    try:
        TYPES.write_text(types_of(document or {}), encoding="utf-8")
    except (NoNode, BuildFailed) as fault:
        raise click.ClickException(f"{fault.zh}\n{fault.en}") from None
    say(f"已写入 {TYPES.relative_to(ROOT)}", "written", mark="✓")


def types_of(document: dict[str, Any]) -> str:
    """The TypeScript types of an API document. Raises NoNode or BuildFailed."""
    node = find_node()
    install(SHARED, node)
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "openapi.json", Path(folder) / "schema.d.ts"
        given.write_text(json.dumps(document), encoding="utf-8")
        program = SHARED / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
        done = subprocess.run(
            [str(node.folder / "node"), str(program), str(given), "-o", str(made)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BuildFailed(f"生成失败：{done.stderr[-300:]}", f"the types could not be made: {done.stderr[-300:]}")
        return made.read_text(encoding="utf-8")
