"""OAuth 2 and OpenID Connect: partners fetch tokens for themselves and sign residents in (docs/oauth.md)."""
