"""Parts of what is to be sent: one to ten, each with a text or a file, and no file of anybody else."""

import pytest
from django.db import transaction
from rest_framework.exceptions import ValidationError

from messaging.models import Broadcast, ContentPart, MediaFile
from messaging.serializers.content import PartsField
from messaging.services.contents import parts_of, replace_parts, same_parts, write_parts
from waplus.lib.errors import Invalid
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db


def add_file(workspace, name="a.jpg") -> MediaFile:
    return MediaFile.objects.create(
        workspace=workspace, file=f"media/{name}", sha256=uuid7().bytes * 2, media_type="image/jpeg", name=name, size=3
    )


@pytest.fixture
def broadcast(acme, number):
    return Broadcast.objects.create(workspace=acme, whatsapp_account=number, name="News")


def said(broadcast) -> list[tuple]:
    return list(parts_of(broadcast).values_list("position", "body", "media"))


def test_write_parts_in_order_with_white_space_cut_off(acme, broadcast):
    file = add_file(acme)
    parts = [
        {"body": " \nHello\n  there \u200b"},
        {"body": "", "media": file.pk},
        {"body": "Caption", "media": file},
    ]
    write_parts(workspace=acme, parts=parts, broadcast=broadcast)
    assert said(broadcast) == [(0, "Hello\n  there", None), (1, "", file.pk), (2, "Caption", file.pk)]


def test_replace_parts(acme, broadcast):
    write_parts(workspace=acme, parts=[{"body": "a"}, {"body": "b"}], broadcast=broadcast)
    replace_parts(workspace=acme, parts=[{"body": "c", "media": None}], broadcast=broadcast)
    assert said(broadcast) == [(0, "c", None)]
    assert same_parts(parts_of(broadcast), [{"body": "c", "media": None}])
    assert not same_parts(parts_of(broadcast), [{"body": "d", "media": None}])


@pytest.mark.parametrize(
    ("parts", "field", "code"),
    [
        ([], "parts", "required"),
        ([{"body": "x"}] * 11, "parts", "too_many"),
        ([{"body": "x"}, {"body": " \u200b "}], "parts.1", "required"),
        ([{"body": "x" * 65_537}], "parts.0.body", "max_length"),
        ([{"body": "x"}, {"body": "", "media": uuid7()}], "parts.1.media", "does_not_exist"),
    ],
)
def test_refuse_parts(acme, broadcast, parts, field, code):
    with pytest.raises(Invalid) as refused, transaction.atomic():
        write_parts(workspace=acme, parts=parts, broadcast=broadcast)
    assert [(error.field, error.code) for error in refused.value.fields] == [(field, code)]
    assert not ContentPart.objects.exists()


def test_refuse_a_file_of_another_workspace(acme, other, broadcast):
    with pytest.raises(Invalid) as refused, transaction.atomic():
        write_parts(workspace=acme, parts=[{"body": "", "media": add_file(other).pk}], broadcast=broadcast)
    assert (refused.value.fields[0].field, refused.value.fields[0].code) == ("parts.0.media", "does_not_exist")
    assert not ContentPart.objects.exists()


def test_read_parts_of_a_payload(acme, broadcast):
    id = uuid7()
    field = PartsField()
    assert field.run_validation([{"body": "x"}, {"media": str(id)}]) == [
        {"body": "x", "media": None},
        {"body": "", "media": id},
    ]
    write_parts(workspace=acme, parts=[{"body": "a"}, {"body": "b"}], broadcast=broadcast)
    shown = [{"body": "a", "media": None}, {"body": "b", "media": None}]
    assert field.to_representation(broadcast.parts) == field.to_representation(list(broadcast.parts.all())) == shown


@pytest.mark.parametrize(
    "payload", [[], [{}], [{"body": " "}], [{"body": "x"}] * 11, {}, "x", [{"media": "x"}], [None]]
)
def test_refuse_a_payload(payload):
    with pytest.raises(ValidationError):
        PartsField().run_validation(payload)
