"""Keys that encrypt secrets at rest can be changed while everything goes on."""

import io

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.mfa.utils import decrypt, encrypt
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from accounts.models import IdempotencyRecord
from conftest import make_person
from waplus.lib.encryption import Undecryptable, is_current, key_id
from waplus.management.commands import reencrypt_secrets

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def old_key(settings):
    settings.ENCRYPTION_KEYS = [OLD]


def run() -> str:
    output = io.StringIO()
    call_command("reencrypt_secrets", stdout=output)
    return output.getvalue()


@pytest.fixture
def secrets(alice, alice_device) -> dict:
    """An app, recovery codes of both kinds and a kept answer, all under the old key."""
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    codes = RecoveryCodes.activate(alice).generate_codes()
    Authenticator.objects.create(
        user=make_person("Migrated"),
        type=Authenticator.Type.RECOVERY_CODES,
        data={"migrated_codes": [encrypt("11111111"), encrypt("22222222")], "used_mask": 0},
    )
    Authenticator.objects.create(
        user=alice, type=Authenticator.Type.WEBAUTHN, data={"name": "Key", "credential": {"id": "x"}}
    )
    answer = alice_device.client.post("/api/v1/contacts/", {"name": "Ana"}, headers={"Idempotency-Key": "key-12345"})
    assert answer.status_code == 201
    return {"secret": secret, "codes": codes, "answer": answer.json()}


def stored() -> list[str]:
    """Everything encrypted, as it stands in the database."""
    values = list(IdempotencyRecord.objects.values_list("body", flat=True))
    for data in Authenticator.objects.order_by("pk").values_list("data", flat=True):
        values += [data[name] for name in ("secret", "seed") if name in data] + data.get("migrated_codes", [])
    return values


def assert_everything_opens(alice, device, secrets) -> None:
    rows = {row.type: row for row in Authenticator.objects.filter(user=alice)}
    assert decrypt(rows["totp"].data["secret"]) == secrets["secret"]
    assert RecoveryCodes(rows["recovery_codes"]).generate_codes() == secrets["codes"]
    migrated = Authenticator.objects.get(user__name="Migrated")
    assert RecoveryCodes(migrated).get_unused_codes() == ["11111111", "22222222"]
    again = device.client.post("/api/v1/contacts/", {"name": "Ana"}, headers={"Idempotency-Key": "key-12345"})
    assert (again.json(), again["Idempotency-Replayed"]) == (secrets["answer"], "true")


def test_moves_every_secret_to_new_key(alice, alice_device, secrets, settings):
    before = stored()
    assert len(before) == 5
    assert all(value.startswith(f"{key_id(OLD)}:") for value in before)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert_everything_opens(alice, alice_device, secrets)

    assert run() == (
        "Two-factor secrets: 3 re-encrypted, 1 left as they are.\n"
        "Answers kept for repeats: 1 re-encrypted, 0 left as they are.\n"
    )
    assert all(value.startswith(f"{key_id(NEW)}:") for value in stored())
    settings.ENCRYPTION_KEYS = [NEW]
    assert_everything_opens(alice, alice_device, secrets)
    assert Authenticator.objects.get(type="webauthn").data == {"name": "Key", "credential": {"id": "x"}}


def test_without_the_command_the_old_key_is_needed(alice, secrets, settings):
    """Positive control: what the test above drops is really what opened the secrets."""
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(Undecryptable):
        decrypt(Authenticator.objects.get(type="totp").data["secret"])


def test_running_again_changes_nothing(secrets, settings):
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    run()
    after = stored()
    assert "Two-factor secrets: 0 re-encrypted, 4 left as they are." in run()
    assert stored() == after


def test_works_in_batches(alice_device, secrets, settings, monkeypatch):
    for number in range(7):
        key = {"Idempotency-Key": f"key-no-{number}"}
        alice_device.client.post("/api/v1/contacts/", {"name": f"C{number}"}, headers=key)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    monkeypatch.setattr(reencrypt_secrets, "BATCH", 2)
    assert "Answers kept for repeats: 8 re-encrypted, 0 left as they are." in run()
    assert all(map(is_current, stored()))


def test_secret_that_no_key_opens_stays_and_is_told(secrets, settings):
    lost = Authenticator.objects.get(type="totp")
    lost.data["secret"] = "00000000:" + Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    lost.save()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    output = io.StringIO()
    with pytest.raises(CommandError, match="ENCRYPTION_KEYS"):
        call_command("reencrypt_secrets", stdout=output)
    assert "2 re-encrypted, 1 left as they are, 1 that no key opens." in output.getvalue()
    lost.refresh_from_db()
    assert lost.data["secret"].startswith("00000000:")
    assert sum(map(is_current, stored())) == 4


def test_output_carries_no_secret(secrets, settings):
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    output = run()
    for word in (secrets["secret"], secrets["codes"][0], "11111111", "Ana", OLD, NEW, "alice"):
        assert word not in output
