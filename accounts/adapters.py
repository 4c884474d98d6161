"""Where allauth asks us."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.utils import translation

from accounts.services.people import note_verified_address
from waplus.lib.encryption import decrypt, encrypt
from waplus.lib.walltime import zone_names


class AccountAdapter(DefaultAccountAdapter):
    """People get their name, zone and language at sign-up, and a first workspace when their address is proven."""

    def save_user(self, request, user, form, commit=True):
        user = super().save_user(request, user, form, commit=False)
        user.name = form.cleaned_data.get("name", "").strip()
        zone = form.cleaned_data.get("time_zone", "")
        user.time_zone = zone if zone in zone_names() else "UTC"
        user.language = translation.get_language()
        if commit:
            user.save()
        return user

    def confirm_email(self, request, email_address):
        confirmed = super().confirm_email(request, email_address)
        if confirmed:
            note_verified_address(user=email_address.user)
        return confirmed


class TwoFactorAdapter(DefaultMFAAdapter):
    """Secrets of authenticators are encrypted at rest."""

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)
