"""The card floor: products, issue, life, codes, presenting. Upper floors use the names below and none of the tables."""

from cards import jobs
from cards.authorisations.listing import acknowledged
from cards.authorisations.reading import Holder, holders
from cards.authorisations.routes import OFFLINE
from cards.authorisations.routes import routes as city_code_routes
from cards.authorisations.trusting import every_key_ever
from cards.codes.pay_keys import MOST_PHONES, PURPOSE, PayKeyGiven
from cards.codes.reading import Candidate, read_code
from cards.errors import REFUSALS, TooManyWrongCodes, refusal
from cards.history import Loss, losses_of
from cards.issuing import bind_card, issue_card, link_wallet
from cards.lifecycle import cancel_all, card_of, cards_of, mirror, replace_card, stop, take_by_name
from cards.loss import report_loss, take_back_loss
from cards.partner_routes import routes as partner_routes
from cards.personal import CardData
from cards.presenting import Presentation, present
from cards.products import Product, WalletTerms, apply_products, product_of, products_of, wallet_terms
from cards.routes import CODES, STOPPED, routes
from cards.seeding import MadeCard, NewCard, issue_many, link_wallets
from cards.viewing import CardView
from cards.wiring import AfterFound, AfterIssue, BeforeAuthorise, BeforeCancel, BeforeReplace, configure

__all__ = [
    "CODES",
    "MOST_PHONES",
    "OFFLINE",
    "PURPOSE",
    "REFUSALS",
    "STOPPED",
    "AfterFound",
    "AfterIssue",
    "BeforeAuthorise",
    "BeforeCancel",
    "BeforeReplace",
    "Candidate",
    "CardData",
    "CardView",
    "Holder",
    "Loss",
    "MadeCard",
    "NewCard",
    "PayKeyGiven",
    "Presentation",
    "Product",
    "TooManyWrongCodes",
    "WalletTerms",
    "acknowledged",
    "apply_products",
    "bind_card",
    "cancel_all",
    "card_of",
    "cards_of",
    "city_code_routes",
    "configure",
    "every_key_ever",
    "holders",
    "issue_card",
    "issue_many",
    "jobs",
    "link_wallet",
    "link_wallets",
    "losses_of",
    "mirror",
    "partner_routes",
    "present",
    "product_of",
    "products_of",
    "read_code",
    "refusal",
    "replace_card",
    "report_loss",
    "routes",
    "stop",
    "take_back_loss",
    "take_by_name",
    "wallet_terms",
]
