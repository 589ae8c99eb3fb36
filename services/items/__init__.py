"""The public services, two files each: a declaration and its texts. Nothing registers them; lying here is enough."""

from services.items.item import Item, Kind, Law, Statement, Texts, prices_above_first, prices_at_least
from services.items.loading import ItemFaulty, items, read

__all__ = [
    "Item",
    "ItemFaulty",
    "Kind",
    "Law",
    "Statement",
    "Texts",
    "items",
    "prices_above_first",
    "prices_at_least",
    "read",
]
