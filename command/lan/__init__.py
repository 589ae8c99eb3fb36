"""LAN mode (D5): a real phone in the same network opens the demo over HTTPS, by a certificate authority of this machine's own."""

from command.lan.opening import Opening, open_to_lan

__all__ = ["Opening", "open_to_lan"]
