"""Who is calling and what they may do: residents, staff, terminals, and how each proves it.

Other floors use these names and nothing below them.
"""

from auth import jobs as jobs
from auth.access import TokenAuthenticator, any_staff
from auth.admitting import Newcomer, admit_many
from auth.agreements.routes import routes as agreement_routes
from auth.consents.personal import SharingData
from auth.consents.routes import routes as consent_routes
from auth.consents.sharing import consent_stands, partners_with_consent, subject_if_consented
from auth.consents.subjects import subject_for as partner_subject
from auth.counter_routes import CHIP_REFUSALS
from auth.counter_routes import routes as counter_routes
from auth.installing import Above, Parts, install, parts
from auth.me_routes import routes as me_routes
from auth.oauth import jobs as oauth_jobs
from auth.oauth.routes import routes as oauth_routes
from auth.partners.errors import PartnerOff, PurposeUnknown
from auth.partners.registering import PurposeText
from auth.partners.registering import Registration as PartnerRegistration
from auth.partners.registering import admit as admit_partner
from auth.partners.registering import living as partner_living
from auth.partners.registering import purpose as partner_purpose
from auth.partners.routes import routes as partner_routes
from auth.passkeys.routes import routes as passkey_routes
from auth.personal_data import AuthData
from auth.policy import Policy
from auth.residents import Revealed, age_band, evidence, identity_level, masked_name, reveal
from auth.routes import routes as sign_in_routes
from auth.rules import AgeBand, Level, Strength, citizen_number, phone_number
from auth.rules import masked_name as mask_name
from auth.scopes import PERMISSIONS, PartnerScope, Permission, Role, TerminalFunction
from auth.staff import accounts as staff_accounts
from auth.staff import console as staff_console
from auth.staff_routes import routes as staff_routes
from auth.staff_schemas import CounterChipIn
from auth.terminals import Description as TerminalDescription
from auth.terminals import Registered as RegisteredTerminal
from auth.terminals import admit as admit_terminal
from auth.terminals import city_of as terminal_city
from auth.terminals import public_key as terminal_key
from auth.terminals import register as register_terminal
from auth.terminals import set_account as set_terminal_account
from auth.verification.chips import ChipRead
from auth.verification.counter import present_holder

ROUTES = (
    sign_in_routes,
    me_routes,
    passkey_routes,
    counter_routes,
    staff_routes,
    partner_routes,
    consent_routes,
    agreement_routes,
    oauth_routes,
)

__all__ = [
    "CHIP_REFUSALS",
    "PERMISSIONS",
    "ROUTES",
    "Above",
    "AgeBand",
    "AuthData",
    "ChipRead",
    "CounterChipIn",
    "Level",
    "Newcomer",
    "PartnerOff",
    "PartnerRegistration",
    "PartnerScope",
    "Parts",
    "Permission",
    "Policy",
    "PurposeText",
    "PurposeUnknown",
    "RegisteredTerminal",
    "Revealed",
    "Role",
    "SharingData",
    "Strength",
    "TerminalDescription",
    "TerminalFunction",
    "TokenAuthenticator",
    "admit_many",
    "admit_partner",
    "admit_terminal",
    "age_band",
    "any_staff",
    "citizen_number",
    "consent_stands",
    "evidence",
    "identity_level",
    "install",
    "mask_name",
    "masked_name",
    "oauth_jobs",
    "partner_living",
    "partner_purpose",
    "partner_subject",
    "partners_with_consent",
    "parts",
    "phone_number",
    "present_holder",
    "register_terminal",
    "reveal",
    "set_terminal_account",
    "staff_accounts",
    "staff_console",
    "subject_if_consented",
    "terminal_city",
    "terminal_key",
]
