"""What Lighthouse says of both apps: speed is reported, the rest does not depend on the machine and is held."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from command import pages
from command.node import find_node
from command.story.app import FLAGS, find_chromium
from command.story.cast import Stage

pytestmark = pytest.mark.full
ROOM = Path(__file__).parent / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices")


@pytest.mark.parametrize("place", ["app", "desk"])
def test_lighthouse_finds_no_fault_but_speed(stage: Stage, place: str, tmp_path: Path) -> None:
    """A telephone on a slow network for the residents' app, a computer for the counter."""
    pages.build([room for room in pages.ALL if room.stale()], lambda *_: None)
    scores = measure(f"{stage.issuer}/{place}/", tmp_path, "desktop" if place == "desk" else None)
    print(f"\nLighthouse /{place}/: {', '.join(f'{name} {score}' for name, score in scores.items())}")  # noqa: T201  # the measured figures are the point
    assert scores["accessibility"] == 100, scores
    assert scores["best-practices"] >= 90, scores


def measure(address: str, folder: Path, preset: str | None) -> dict[str, int]:
    """The scores of a page by category, each of a hundred."""
    node, chromium, told = find_node(), find_chromium(), folder / "told.json"
    if chromium is None:
        pytest.skip("apt-get install -y chromium fonts-noto-cjk")
    pages.install(ROOM, node)
    words = [
        f"--only-categories={','.join(CATEGORIES)}",
        "--quiet",
        "--output=json",
        f"--output-path={told}",
        f"--chrome-flags=--headless=new {' '.join(FLAGS)}",
        *([f"--preset={preset}"] if preset else []),
    ]
    command = [str(node.folder / "node"), str(ROOM / "node_modules" / "lighthouse" / "cli" / "index.js"), address, *words]
    environment = {**os.environ, "CHROME_PATH": chromium, "TMPDIR": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(told.read_text(encoding="utf-8"))["categories"]
    return {name: round(found[name]["score"] * 100) for name in CATEGORIES}
