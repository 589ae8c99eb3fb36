"""The page that stands in for pages that are being built: how far the build is, in both languages, asking again by itself."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response

AGAIN_SECONDS = 2
PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{again}"><title>正在准备 · Preparing</title>
<style>:root{{color-scheme:light dark}}body{{font:18px/1.6 system-ui,"PingFang SC","Noto Sans CJK SC",sans-serif;max-width:34rem;
margin:18vh auto 0;padding:0 1.5rem}}h1{{font-size:1.5rem;margin:0 0 .5rem}}progress{{width:100%;height:.75rem;accent-color:#0a665a}}
p{{margin:.6rem 0}}</style></head><body><main><h1>{zh_title}<br><span lang="en">{en_title}</span></h1>
{bar}<p role="status">{zh}<br><span lang="en">{en}</span></p></main></body></html>"""
NOTHING = {
    "zh": "页面还没有构建；请运行 make pages。接口已经可用。",
    "en": "The pages are not built yet; run: make pages. The API answers already.",
}


def progress_page(note: Path, headers: dict[str, str]) -> Response:
    """The page for what the note of the build says now; 503, so that nobody takes it for the pages themselves."""
    said = _said(note)
    building = "share" in said and not said.get("failed")
    bar = f'<progress max="1" value="{float(said["share"]):.2f}" aria-label="进度 progress"></progress>' if building else ""
    titles = ("正在构建页面", "Building the pages") if building else ("页面暂不可用", "The pages are not there")
    text = PAGE.format(
        again=AGAIN_SECONDS, zh_title=titles[0], en_title=titles[1], bar=bar, zh=html.escape(said["zh"]), en=html.escape(said["en"])
    )
    made = Response(text, status=503, mimetype="text/html", headers=headers)
    made.headers["Retry-After"] = str(AGAIN_SECONDS)
    made.headers["Cache-Control"] = "no-store"
    return made


def _said(note: Path) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return dict(NOTHING)
    return {**NOTHING, **said}
