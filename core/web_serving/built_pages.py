"""The built pages before the API: files of a folder under a prefix, with strict headers; a page of progress while they are built."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.security import safe_join
from werkzeug.wrappers import Request, Response

from core.web_serving.progress import progress_page

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Said here and not left to the machine's own table, which lacks some and has others wrong.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
HASHED = "assets/"  # names in this folder hold a hash of their content, so they never change
FOR_EVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"


@dataclass(frozen=True, slots=True)
class Room:
    """The pages of one kind of reader: where they are called, where they lie, and what they may use of the device."""

    prefix: str
    folder: Path
    camera: bool = False
    wasm: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What a page may load and do: its own origin and nothing else."""
        scripts = "'self' 'wasm-unsafe-eval'" if self.wasm else "'self'"
        policy = (
            f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
            "connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; media-src 'self' blob:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        camera = "(self)" if self.camera else "()"
        return {
            "Content-Security-Policy": policy,
            "Permissions-Policy": f"camera={camera}, microphone=(), geolocation=(self), payment=(), usb=(), screen-wake-lock=(self)",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
        }


class BuiltPages:
    """Answers for the pages, and passes everything else on to the program."""

    def __init__(self, program: WSGIApplication, rooms: Sequence[Room], *, start: str, progress: Path) -> None:
        self.program, self.start, self.progress = program, start, progress
        self.rooms = {room.prefix: room for room in rooms}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        room = self.rooms.get(path[1:].partition("/")[0])
        if room is None and path != "/":
            return self.program(environ, start_response)
        return self._answer(Request(environ), room)(environ, start_response)

    def _answer(self, request: Request, room: Room | None) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(status=405, headers={"Allow": "GET, HEAD"})
        if room is None:
            return _redirect(f"/{self.start}/")
        name = request.path[len(room.prefix) + 1 :]
        if not name:
            return _redirect(f"/{room.prefix}/")
        found = _find(room.folder, name.lstrip("/"))
        if found is None and not (room.folder / "index.html").exists():
            return progress_page(self.progress, room.headers)
        if found is None:
            return Response("404", status=404, mimetype="text/plain", headers=room.headers)
        return _hand_out(request, room, found)


def _find(folder: Path, name: str) -> Path | None:
    """The file of a name; a name without an ending is a place inside the application, which its first page knows."""
    joined = safe_join(str(folder), name or "index.html")
    if joined is None:
        return None
    path = Path(joined)
    if "." not in path.name:
        path = folder / "index.html"
    return path if path.is_file() and not path.name.startswith(".") else None


def _hand_out(request: Request, room: Room, path: Path) -> Response:
    packed = path.with_name(path.name + ".gz")
    zipped = request.accept_encodings["gzip"] > 0 and packed.is_file()
    body = _read(packed if zipped else path, (packed if zipped else path).stat().st_mtime_ns)
    response = Response(body, headers=room.headers, content_type=_type(path))
    response.headers["Cache-Control"] = FOR_EVER if path.is_relative_to(room.folder / HASHED) else ASK_AGAIN
    response.headers["Vary"] = "Accept-Encoding"
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(hashlib.sha256(body).hexdigest()[:24])
    return response.make_conditional(request)


@lru_cache(maxsize=256)
def _read(path: Path, _written: int) -> bytes:
    """A file as it was when it was written; the pages of both rooms together are a few megabytes."""
    return path.read_bytes()


def _type(path: Path) -> str:
    return TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _redirect(where: str) -> Response:
    return Response(status=302, headers={"Location": where, "Cache-Control": "no-store"})
