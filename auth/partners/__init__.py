"""Partners: the systems of agencies, registered by staff, each with its own keys, scopes and purposes."""
