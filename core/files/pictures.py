"""Pictures are drawn anew: what is kept has pixels and nothing else, no place, no camera, no second file behind it."""

from __future__ import annotations

import io
import struct
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from core.files.errors import PictureRefused

MOST_PIXELS: Final = 25_000_000
MOST_SIDE: Final = 12_000
MOST_NARROW: Final = 20
# Unpacked bytes for each packed one; a photograph has about 10, a screenshot 100, a bomb thousands.
MOST_RATIO: Final = 1000
_SMALL_PIXELS: Final = 1_000_000

# Pillow's own limit only warns; `_check` refuses earlier and always.
Image.MAX_IMAGE_PIXELS = None


def redraw(data: bytes, kind: str) -> tuple[bool, bytes]:
    """Whether the picture has transparency, and the picture encoded anew, upright and without metadata."""
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            _check(picture.size, len(data))
            upright = ImageOps.exif_transpose(picture)
            alpha = upright.has_transparency_data
            mode = "RGBA" if alpha else "RGB"
            clean = Image.new(mode, upright.size)
            clean.paste(upright.convert(mode))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, struct.error, MemoryError, Image.DecompressionBombError):
        raise PictureRefused from None
    return alpha, _encode(clean, "PNG" if alpha or kind == "PNG" else "JPEG")


def _check(size: tuple[int, int], packed: int) -> None:
    """Refuse by the header alone, before a pixel is unpacked."""
    width, height = size
    pixels = width * height
    if not pixels or pixels > MOST_PIXELS or max(size) > MOST_SIDE or max(size) > MOST_NARROW * min(size):
        raise PictureRefused
    if pixels > _SMALL_PIXELS and pixels * 3 > packed * MOST_RATIO:
        raise PictureRefused


def _encode(picture: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    if form == "JPEG":
        picture.save(out, form, quality=88, optimize=True)
    else:
        picture.save(out, form, compress_level=6)
    return out.getvalue()
