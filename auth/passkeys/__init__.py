"""Passkeys (WebAuthn level 3): a resident's strongest way in, bound to this program's name and asked to know its holder."""
