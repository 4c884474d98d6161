"""Secrets at rest: MultiFernet over a key ring of its own (`ENCRYPTION_KEYS`).

The first key encrypts, every key decrypts, so a ring rotates by putting a new
key in front, running `reencrypt_secrets`, and dropping the old one. The id of
the key stands in front of the ciphertext (`<id>:<token>`), so that a look at a
row tells which key it still needs.
"""

import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Undecryptable(Exception):
    """No key of the ring opens the value."""


def key_id(key: str) -> str:
    """Eight hex digits that name a key and tell nothing of it."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


@lru_cache(maxsize=4)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """Encrypt under the first key of the ring; the answer is ASCII."""
    keys = tuple(settings.ENCRYPTION_KEYS)
    return f"{key_id(keys[0])}:{_ring(keys).encrypt(text.encode()).decode()}"


def decrypt(value: str) -> str:
    """Decrypt with whichever key fits, or raise `Undecryptable`."""
    try:
        return _ring(tuple(settings.ENCRYPTION_KEYS)).decrypt(value.partition(":")[2].encode()).decode()
    except InvalidToken as error:
        raise Undecryptable(f"no key of the ring opens a value of key {value.partition(':')[0]}") from error


def is_current(value: str) -> bool:
    """Whether the value is under the first key already."""
    return value.startswith(f"{key_id(settings.ENCRYPTION_KEYS[0])}:")
