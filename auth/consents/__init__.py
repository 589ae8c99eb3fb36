"""Consent: what a resident allowed a partner, for which purpose and by which text, and every use that was made of it."""
