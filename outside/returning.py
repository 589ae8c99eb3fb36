"""The way back from a played page to the app that opened it."""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from flask import request

from outside.world import world


def way_back(**given: str) -> str:
    """The address of the app that opened this page, with what it is handed; empty where none was named, or another site."""
    back = request.args.get("back", "")
    if not back or not _ours(back):
        return ""
    return back + ("&" if "?" in back else "?") + urlencode(given) if given else back


def with_way_back(path: str) -> str:
    """A path that keeps the way back in mind."""
    back = request.args.get("back", "")
    return f"{path}?back={quote(back, safe='')}" if back else path


def _ours(address: str) -> bool:
    """Whether the address belongs to the platform: the same scheme and port, by its name or as this machine calls itself."""
    there, home = urlsplit(address), urlsplit(world().settings.platform_url)
    names = {home.hostname, "localhost", "127.0.0.1"} if home.hostname in ("localhost", "127.0.0.1") else {home.hostname}
    return there.scheme == home.scheme and there.hostname in names and there.port == home.port
