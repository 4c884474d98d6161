"""How secrets that we hand out or are told are kept."""

import hashlib


def hash_secret(secret: str) -> bytes:
    """SHA-256: such a secret is 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(secret.encode()).digest()
