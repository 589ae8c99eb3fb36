"""The catalogue: which public services a city offers, who runs them, and whether they are switched on."""

from services.catalogue.offers import ItemOff, ItemUnknown, Offer, all_offers, configure, offer, offers_of, open_offer
from services.catalogue.routes import routes

__all__ = ["ItemOff", "ItemUnknown", "Offer", "all_offers", "configure", "offer", "offers_of", "open_offer", "routes"]
