"""The WeChat package: small, asking nobody else, and running page by page under a client without a screen."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from command.node import find_node
from command.pages import install
from command.story.cast import Stage

pytestmark = pytest.mark.full
RESIDENT = Path(__file__).parents[2] / "web" / "resident"
MOST_BYTES = 2 * 1024 * 1024  # of a main package, by WeChat's own rule
# Names of languages and texts of faults; nothing is fetched from them.
NAMES = {"http://www.w3.org/2000/svg", "https://uniapp.dcloud.net.cn/tutorial/run/mp-log.html", "https://vuejs.org/error-reference/"}


@pytest.fixture(scope="session")
def package(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built for this city's address."""
    node, folder = find_node(), tmp_path_factory.mktemp("weixin")
    install(RESIDENT, node)
    named = {"PAGES_CITY_ADDRESS": stage.issuer, "UNI_OUTPUT_DIR": str(folder), "NODE_ENV": "production"}
    words = [*node.npm, "run", "build:weixin"]
    done = subprocess.run(words, cwd=RESIDENT, env={**os.environ, **named}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_package_is_small_and_asks_nobody_else(package: Path, stage: Stage) -> None:
    files = [path for path in package.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    text = "".join(path.read_text(encoding="utf-8") for path in files if path.suffix in (".js", ".json", ".wxml", ".wxss"))
    assert set(re.findall(r"https?://[\w./-]+", text)) - NAMES == {stage.issuer.rpartition(":")[0]}


def test_every_page_named_is_there_and_parts_load_when_needed(package: Path) -> None:
    told = json.loads((package / "app.json").read_text(encoding="utf-8"))
    assert told["lazyCodeLoading"] == "requiredComponents"
    assert all((package / f"{page}{end}").exists() for page in told["pages"] for end in (".js", ".json", ".wxml"))


@pytest.mark.parametrize(
    ("refused", "pause_ms"),
    [([], 50), (["brightness", "screen", "clipboard"], 700)],
    ids=["all-allowed", "permissions-refused and seldom looked at"],
)
def test_it_signs_in_gets_a_card_and_makes_a_code_that_a_till_takes(package: Path, stage: Stage, refused: list[str], pause_ms: int) -> None:
    told = walk(package, stage, refused, pause_ms)
    till = stage.till()
    till.sign_in()
    assert till.do("POST", "/api/presentations", {"code": told["code"]})["masked_name"]
    assert told["drawn"]
    assert re.search(r"第1档 \d+ 立方米 × 2\.85 元 = [\d.]+ 元", told["bill"])
    assert told["paid"]["shown"] == "pages/bills/paid"
    assert "查看更多" not in told["paid"]["text"]
    assert all(page["shown"] == name and page["letters"] > 5 for name, page in told["pages"].items())
    assert set(told["calls"]) <= published()


def walk(package: Path, stage: Stage, refused: list[str], pause_ms: int) -> dict[str, Any]:
    """From first start to a code, and past every page."""
    person = stage.stranger()
    phone = stage.phone(person)
    given = {
        **{name: person[name] for name in ("phone", "name", "citizen_number")},
        "outside": stage.outside.url,
        "before": [message["id"] for message in phone.messages()],
        "refused": refused,
        "pause_ms": pause_ms,
        "product": "云川市民卡",
        **{name: person["utility_accounts"][name] for name in ("water", "owner")},
    }
    words = [str(find_node().folder / "node"), str(Path(__file__).parent / "weixin" / "walk.cjs"), str(package), json.dumps(given)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def published() -> set[str]:
    """The calls that WeChat's own typings know."""
    typings = RESIDENT / "node_modules" / "miniprogram-api-typings" / "types" / "wx" / "lib.wx.api.d.ts"
    return set(re.findall(r"^        (\w+)(?:<[^(]*)?\(", typings.read_text(encoding="utf-8"), re.M))
