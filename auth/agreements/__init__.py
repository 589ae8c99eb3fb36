"""Agreements: every version of the texts a resident uses the platform by, and who agreed to which when (PIPL 14 to 17 and 29)."""
