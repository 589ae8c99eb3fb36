"""The app in a browser, with what only tests ask of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from command.node import find_node
from command.pages import install
from command.story import app as story

SHARED = Path(__file__).parents[2] / "web" / "shared"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SMALL = """least => [...document.querySelectorAll('button, input, a')].filter(each => each.offsetParent !== null)
  .map(each => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
  .filter(([, size]) => size.width < least || size.height < least).map(([html, size]) => `${html} ${size.width}x${size.height}`)"""


class App(story.App):
    """The app, and how well it can be read and touched."""

    def faults_of_access(self, axe: str) -> list[str]:
        """What axe-core finds at WCAG 2.2 AA."""
        self.page.evaluate(axe)
        told = self.page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", WCAG)
        return [
            f"{each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}" for each in told["violations"] for node in each["nodes"]
        ]

    def small_touches(self, least: int) -> list[str]:
        """Buttons and fields in sight that are smaller than a touch needs, in CSS pixels."""
        found: list[str] = self.page.evaluate(SMALL, least)
        return found


def axe_script() -> str:
    """axe-core from the pages' own locked packages."""
    install(SHARED, find_node())
    return (SHARED / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def node(*words: str, cwd: Path) -> str:
    """What a Node program prints; its fault fails the test."""
    done = subprocess.run([str(find_node().folder / "node"), *words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
