"""Bugs kept as patches: each is applied to a copy of the program, and the harness must see it."""

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.granian import ROOT

SEEDED = Path(__file__).parent / "seeded"
_LEFT_OUT = (".git", ".venv", "var", "node_modules", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info", "dist", "build")


@dataclass(frozen=True, slots=True)
class Caught:
    """What the harness said of a program with a bug."""

    bug: str
    cycles: int
    found: list[str]

    @property
    def caught(self) -> bool:
        """Whether it saw this bug: anything else that it found is no proof that it would."""
        return any(words in sentence for sentence in self.found for words in seen_as(self.bug))

    @property
    def outcome(self) -> str:
        """What came of the hunt, for the cycle that follows."""
        return "caught in cycle" if self.caught else "STOPPED by something else in cycle" if self.found else "MISSED in"


def bugs() -> list[str]:
    """The names of all seeded bugs."""
    return sorted(patch.stem for patch in SEEDED.glob("*.patch"))


def patch_of(bug: str) -> Path:
    """The patch of a bug."""
    return SEEDED / f"{bug}.patch"


def seen_as(bug: str) -> list[str]:
    """What the harness says when it sees the bug, each enough by itself: the lines `Seen as:` of the patch."""
    lines = patch_of(bug).read_text(encoding="utf-8").split("\ndiff --git", 1)[0].splitlines()
    return [line.removeprefix("Seen as: ") for line in lines if line.startswith("Seen as: ")]


def applies(bug: str, tree: Path = ROOT) -> str:
    """Why a patch no longer applies to the tree; empty when it does."""
    return _git("apply", "--check", str(patch_of(bug)), tree=tree)


def copy_with(bug: str, folder: Path) -> Path:
    """A copy of the program in `folder` that has the bug. Raises RuntimeError when the patch does not apply."""
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
    if complaint := _git("apply", str(patch_of(bug)), tree=tree):
        raise RuntimeError(f"{bug} does not apply: {complaint}")
    return tree


def hunt(bug: str, *, cycles: int, seed: int) -> Caught:
    """Runs the harness of a copy with the bug, until something is found or `cycles` have gone."""
    with tempfile.TemporaryDirectory(prefix="citycard-seeded-") as name:
        folder = Path(name)
        tree, told = copy_with(bug, folder), folder / "verdict.json"
        words = ["crash", "--cycles", str(cycles), "--seed", str(seed), "--json", str(told)]
        done = subprocess.run([sys.executable, "-m", "command", *words], cwd=tree, capture_output=True, text=True, check=False)
        if not told.exists():
            raise RuntimeError(f"the harness did not come to a verdict on {bug}: {done.stderr[-2000:]}")
        verdict = json.loads(told.read_text(encoding="utf-8"))
    return Caught(bug, verdict["cycles"], verdict["found"])


def _git(*words: str, tree: Path) -> str:
    """Runs git in the tree; what it complained about, or nothing."""
    done = subprocess.run(["git", *words], cwd=tree, capture_output=True, text=True, check=False)
    return (done.stderr.strip() or f"git ended with {done.returncode}") if done.returncode else ""
