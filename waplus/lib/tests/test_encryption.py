"""Secrets at rest: the first key of the ring encrypts, every key of it opens."""

import pytest
from cryptography.fernet import Fernet

from waplus.lib.encryption import Undecryptable, decrypt, encrypt, is_current, key_id

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def ring(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    return settings


@pytest.mark.parametrize("text", ["", "secret", "Ω 😀 \x00 \n", "x" * 100_000])
def test_opens_what_it_closed(text):
    value = encrypt(text)
    assert decrypt(value) == text
    assert value.isascii()
    assert value.startswith(f"{key_id(OLD)}:")
    assert not text or text not in value


def test_same_text_is_closed_differently_each_time():
    assert encrypt("secret") != encrypt("secret")


def test_ring_rotates(ring):
    value = encrypt("secret")
    assert is_current(value)
    ring.ENCRYPTION_KEYS = [NEW, OLD]
    assert decrypt(value) == "secret"
    assert not is_current(value)
    renewed = encrypt(decrypt(value))
    assert is_current(renewed)
    ring.ENCRYPTION_KEYS = [NEW]
    assert decrypt(renewed) == "secret"
    with pytest.raises(Undecryptable, match=key_id(OLD)):
        decrypt(value)


def test_refuses_what_was_tampered_with():
    value = encrypt("secret")
    middle = len(value) // 2
    flipped = value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]
    for wrong in (flipped, value[:-1], value.partition(":")[2], "", ":", "no", "é:é", f"{key_id(OLD)}:"):
        with pytest.raises(Undecryptable):
            decrypt(wrong)


def test_id_of_key_tells_nothing_of_key():
    assert len({key_id(OLD), key_id(NEW), key_id(OTHER)}) == 3
    assert len(key_id(OLD)) == 8
    assert key_id(OLD) not in OLD
