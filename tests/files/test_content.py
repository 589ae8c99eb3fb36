"""What uploads become, and which are refused (threat 31)."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from core.files.content import MOST_BYTES, MediaType, made_safe
from core.files.errors import FileTooLarge, FileTypeRefused, PictureRefused

GPS = 0x8825


def picture(form: str, *, size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, (200, 30, 40, 90)[: len(mode)]).save(out, form, **options)
    return out.getvalue()


def with_place() -> bytes:
    exif = Image.Exif()
    exif[0x0110] = "Phone of Wang Xiaoming"
    exif[GPS] = {1: "N", 2: (30.0, 15.0, 0.0)}
    return picture("JPEG", exif=exif)


@pytest.mark.parametrize(
    ("form", "kept"),
    [("JPEG", MediaType.JPEG), ("PNG", MediaType.PNG), ("WEBP", MediaType.JPEG)],
)
def test_a_picture_is_drawn_anew(form: str, kept: MediaType) -> None:
    media_type, data = made_safe(picture(form))
    assert media_type is kept
    with Image.open(io.BytesIO(data)) as again:
        assert again.size == (64, 48)


def test_transparency_is_kept_as_png() -> None:
    media_type, data = made_safe(picture("WEBP", mode="RGBA"))
    assert media_type is MediaType.PNG
    with Image.open(io.BytesIO(data)) as again:
        assert again.mode == "RGBA"


def test_place_and_device_are_taken_out() -> None:
    dirty = with_place()
    assert b"Wang Xiaoming" in dirty
    _, clean = made_safe(dirty)
    assert b"Wang Xiaoming" not in clean
    with Image.open(io.BytesIO(clean)) as again:
        assert not again.getexif()


def test_text_in_a_png_is_taken_out() -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "990101199001010010")
    _, clean = made_safe(picture("PNG", pnginfo=told))
    assert b"990101199001010010" not in clean


def test_a_turned_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    _, clean = made_safe(picture("JPEG", exif=exif))
    with Image.open(io.BytesIO(clean)) as again:
        assert again.size == (48, 64)


@pytest.mark.parametrize("tail", [b"<script>alert(1)</script>", b"PK\x03\x04 a second file", b"\x00" * 4096])
def test_what_hides_behind_a_picture_is_dropped(tail: bytes) -> None:
    for form in ("JPEG", "PNG"):
        _, clean = made_safe(picture(form) + tail)
        assert tail not in clean


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + b"\x00" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"PK\x03\x04" + b"\x00" * 100,
        b"MZ\x90\x00",
        b"\x7fELF",
        b"#!/bin/sh\n",
        b" %PDF-1.7\n%%EOF",
        b"BM" + b"\x00" * 60,
        b"RIFF\x00\x00\x00\x00WAVE",
    ],
)
def test_other_kinds_are_refused_by_content(data: bytes) -> None:
    with pytest.raises(FileTypeRefused):
        made_safe(data)


def test_a_plain_pdf_is_kept_as_it_is() -> None:
    plain = b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer\n%%EOF\n"
    assert made_safe(plain) == (MediaType.PDF, plain)


@pytest.mark.parametrize("act", [b"/JavaScript", b"/JS (app.alert(1))", b"/Launch", b"/OpenAction", b"/EmbeddedFile", b"/XFA"])
def test_a_pdf_that_acts_is_refused(act: bytes) -> None:
    with pytest.raises(FileTypeRefused):
        made_safe(b"%PDF-1.7\n1 0 obj <<" + act + b" >> endobj\n%%EOF")


def test_a_pdf_cut_short_is_refused() -> None:
    with pytest.raises(FileTypeRefused):
        made_safe(b"%PDF-1.7\n1 0 obj <<>>")


def png_of(width: int, height: int, packed: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height"),
    [(50_000, 50_000), (2**31 - 1, 1), (12_001, 700), (4_000, 100), (5_001, 5_000), (2_000, 2_000)],
)
def test_a_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(PictureRefused):
        made_safe(png_of(width, height, zlib.compress(b"\x00" * 100)))


def test_every_cut_of_a_picture_is_refused_or_harmless() -> None:
    for form in ("JPEG", "PNG", "WEBP"):
        whole = picture(form)
        for length in range(0, len(whole), 7):
            try:
                made_safe(whole[:length])
            except (FileTypeRefused, PictureRefused):
                continue


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_picture_with_changed_bytes_is_refused_or_drawn_anew() -> None:
    whole = with_place()
    for place in range(3, len(whole), 3):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        try:
            _, clean = made_safe(bytes(changed))
        except (FileTypeRefused, PictureRefused):
            continue
        assert b"Wang Xiaoming" not in clean


def test_a_file_has_a_greatest_size() -> None:
    with pytest.raises(FileTooLarge):
        made_safe(b"\xff\xd8\xff" + b"\x00" * MOST_BYTES)
