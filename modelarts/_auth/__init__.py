"""How requests are authenticated: signatures, tokens, IAM, and which credentials are used."""
