"""What every entry of a city file is."""

from typing import Annotated

from msgspec import Meta, Struct

Code = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9]([A-Za-z0-9_-]{0,38}[A-Za-z0-9])?\Z")]

IN_FILES = {
    "start": "from",
    "terminals": "terminal",
    "days": "day",
    "forms": "form",
    "losses": "loss",
    "renewals": "renewal",
    "wallets": "wallet",
}


class Shape(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=IN_FILES):
    """A frozen entry of a city file; a field the shape does not know is a fault."""
