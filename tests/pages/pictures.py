"""Where the pictures of the pages lie, and how they are kept small."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

from PIL import Image

PICTURES = Path(os.environ.get("SCREENSHOTS_FOLDER", Path(__file__).parents[2] / "docs" / "screenshots"))
COLOURS = 128


def begin_anew(folder: Path) -> None:
    """An empty folder: no picture stays of a page that is no more."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def keep_small(taken: bytes, place: Path) -> None:
    """Keep a picture in a palette of its own colours: a page has few of them."""
    picture = Image.open(io.BytesIO(taken)).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(place, optimize=True)
