"""Photos of contacts and chats on the API."""

from django.core.files.base import ContentFile
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.avatar_answers import photo_answer
from crm.models import Avatar, Chat, Contact
from crm.services import avatars
from waplus.lib.errors import Invalid


class _ImageParser(BaseParser):
    """The body is the photo itself; what it really is, its bytes tell."""

    def parse(self, stream, media_type=None, parser_context=None):
        return {"file": ContentFile(stream.read(avatars.MAX_BYTES + 1))}


class JpegParser(_ImageParser):
    media_type = "image/jpeg"


class PngParser(_ImageParser):
    media_type = "image/png"


class WebpParser(_ImageParser):
    media_type = "image/webp"


class AvatarHolderSerializer(serializers.Serializer):
    """Whose photo was set, and its id; null without one."""

    id = serializers.UUIDField()
    avatar = serializers.UUIDField(source="avatar_id", allow_null=True)


class PhotoSerializer(serializers.Serializer):
    file = serializers.FileField(help_text="JPEG, PNG or WebP, at most 2 MB.")


_UPLOAD = {
    "multipart/form-data": PhotoSerializer,
    **dict.fromkeys(("image/jpeg", "image/png", "image/webp"), OpenApiTypes.BINARY),
}


class _HolderView(WorkspaceView):
    roles = {"PUT": Role.MEMBER, "DELETE": Role.MEMBER}
    parser_classes = [JpegParser, PngParser, WebpParser, MultiPartParser]
    serializer_class = AvatarHolderSerializer

    def photo(self) -> bytes:
        """The uploaded bytes."""
        self.get_object()  # an unknown contact is unknown, whatever is wrong with the file
        file = self.request.data.get("file")
        if not hasattr(file, "read"):
            raise Invalid("file", "required", "Send the photo as the body, or as the field `file` of a form.")
        return file.read(avatars.MAX_BYTES + 1)


class ContactAvatarView(_HolderView):
    """A contact's photo: the body is the picture, or a form with `file`; it is kept as a small JPEG."""

    queryset = Contact.objects.alive()

    @extend_schema(operation_id="contacts_set_avatar", tags=["avatars"], request=_UPLOAD)
    def put(self, request, id):
        contact = avatars.set_contact_avatar(
            workspace=self.workspace, actor=self.actor, contact_id=id, data=self.photo()
        )
        return self.answer(contact)

    @extend_schema(operation_id="contacts_remove_avatar", tags=["avatars"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        avatars.set_contact_avatar(workspace=self.workspace, actor=self.actor, contact_id=id, data=None)
        return Response(status=204)


class ChatAvatarView(_HolderView):
    """A chat's photo: the body is the picture, or a form with `file`; it is kept as a small JPEG."""

    queryset = Chat.objects.all()

    @extend_schema(operation_id="chats_set_avatar", tags=["avatars"], request=_UPLOAD)
    def put(self, request, id):
        chat = avatars.set_chat_avatar(workspace=self.workspace, actor=self.actor, chat_id=id, data=self.photo())
        return self.answer(chat)

    @extend_schema(operation_id="chats_remove_avatar", tags=["avatars"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        avatars.set_chat_avatar(workspace=self.workspace, actor=self.actor, chat_id=id, data=None)
        return Response(status=204)


class AvatarView(WorkspaceView):
    """A photo, as JPEG. What an id shows never changes."""

    roles = {"GET": Role.MEMBER}
    queryset = Avatar.objects.all()
    serializer_class = AvatarHolderSerializer

    @extend_schema(operation_id="avatars_read", tags=["avatars"], responses={(200, "image/jpeg"): OpenApiTypes.BINARY})
    def get(self, request, id):
        return photo_answer(request, self.get_object())
