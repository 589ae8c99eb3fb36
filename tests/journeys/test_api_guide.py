"""The guide is true: its blocks run as they stand, in one shell, against the running program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from command.story.cast import Stage
from tests.journeys.conftest import ROOT, Running

pytestmark = pytest.mark.xdist_group("journeys")


def test_the_guide_runs_as_it_stands(running: Running, stage: Stage, tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / "api-guide.md").read_text(), re.DOTALL)
    script = "set -euo pipefail\n" + "\n".join(blocks).replace(".venv/bin/citycard", f"{sys.executable} -m command")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env={**os.environ, **running.environment, "CITYCARD": stage.issuer, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    said = done.stdout
    for line in ("code_used", "the same key: the first answer", "idempotency_key_reused", "card_lost", "active", "credited"):
        assert line in said, line
