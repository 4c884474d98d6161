"""Rows of the CRM for tests, made directly: what is derived is derived as the services do."""

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from crm.models import (
    Chat,
    Contact,
    ContactIdentity,
    ContactTag,
    CustomField,
    FieldValue,
    Note,
    Stage,
    Tag,
    WhatsAppAccount,
)
from crm.models.contacts import search_text_of, sort_name_of
from crm.services.field_values import canonical_value
from waplus.lib.phones import match_key
from waplus.lib.text import fold, searchable


def add_contact(workspace, name="", *, number="", profile_name="", company="", email="", at=None, **columns) -> Contact:
    """A contact, with a number if one is given as digits."""
    texts = {"name": name, "profile_name": profile_name, "company": company, "email": email}
    numbers = [number] if number else []
    at = at or timezone.now()
    contact = Contact.objects.create(
        workspace=workspace,
        sort_name=sort_name_of(**texts, numbers=numbers),
        search_text=search_text_of(**texts, numbers=numbers),
        created_at=at,
        updated_at=at,
        **texts,
        **columns,
    )
    if number:
        ContactIdentity.objects.create(
            workspace=workspace,
            contact=contact,
            kind="phone",
            value=f"+{number}",
            match_key=match_key(number),
            source="person",
            observed_at=at,
        )
    return contact


def add_tag(workspace, name: str) -> Tag:
    return Tag.objects.create(workspace=workspace, name=name, folded=fold(name))


def wear(contact, *tags) -> None:
    for tag in tags:
        ContactTag.objects.create(
            workspace=contact.workspace, contact=contact, tag=tag, added_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        )


def add_stage(workspace, name: str) -> Stage:
    return Stage.objects.create(workspace=workspace, name=name, folded=fold(name))


def add_field(workspace, name: str, kind: str, options: str = "") -> CustomField:
    """A field; `options` are labels, whose ids are the labels in small letters."""
    made = [
        {"id": label.lower(), "label": label, "colour": "grey", "retired": False}
        for label in options.split()
        if options
    ]
    currency = "EUR" if kind == "money" else ""
    return CustomField.objects.create(
        workspace=workspace, name=name, folded=fold(name), kind=kind, options=made, currency=currency
    )


def hold(contact, field: CustomField, raw) -> FieldValue:
    """A value of a contact in a field."""
    canonical = canonical_value(field, raw)
    number = canonical.number if canonical.number is None else Decimal(canonical.number)
    return FieldValue.objects.create(
        workspace=contact.workspace,
        contact=contact,
        field=field,
        value=canonical.value,
        text=canonical.text,
        number=number,
    )


def add_note(contact, text: str) -> Note:
    return Note.objects.create(
        workspace=contact.workspace,
        contact=contact,
        text=text,
        search_text=searchable(fold(text)),
        created_at=timezone.now(),
    )


def add_account(workspace, digits: str = "5511900000000") -> WhatsAppAccount:
    return WhatsAppAccount.objects.create(workspace=workspace, jid=f"{digits}@c.us")


def add_chat(account, contact=None, *, kind="person", name="", **columns) -> Chat:
    number = Chat.objects.count() + 1
    return Chat.objects.create(
        workspace=account.workspace,
        whatsapp_account=account,
        jid=f"49151{number:08d}@c.us" if kind == "person" else f"1203630{number:08d}@g.us",
        kind=kind,
        name=name,
        contact=contact,
        search_text=searchable(fold(name)),
        **columns,
    )
