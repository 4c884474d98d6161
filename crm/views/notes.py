"""Notes on the API."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import Note, NoteEdit
from crm.serializers.notes import (
    NoteChangeSerializer,
    NoteEditSerializer,
    NoteSerializer,
)
from crm.services import notes
from crm.services.contacts import contact_of
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of


class NotesView(WorkspaceView):
    """Notes on a contact, the newest first; write one."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = Note.objects.filter(deleted_at=None)
    serializer_class = NoteSerializer

    @extend_schema(
        operation_id="notes_list", tags=["notes"], parameters=PAGE_PARAMETERS, responses={200: page_of(NoteSerializer)}
    )
    def get(self, request, id):
        contact = contact_of(workspace=self.workspace, contact_id=id)
        return self.listing(self.get_queryset().filter(contact=contact))

    @extend_schema(operation_id="notes_write", tags=["notes"], responses={201: NoteSerializer, 200: NoteSerializer})
    def post(self, request, id):
        note, is_new = notes.write_note(workspace=self.workspace, contact_id=id, actor=self.actor, **self.valid())
        return self.answer(note, status=201 if is_new else 200)


class NoteView(WorkspaceView):
    """One note. Whoever is a member may change it; its history says who wrote what."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}
    queryset = Note.objects.filter(deleted_at=None, contact__deleted_at=None, contact__merged_into=None)
    serializer_class = NoteSerializer

    @extend_schema(operation_id="notes_read", tags=["notes"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="notes_edit", tags=["notes"], request=NoteChangeSerializer)
    def patch(self, request, id):
        note = notes.edit_note(
            workspace=self.workspace,
            note_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(NoteChangeSerializer, partial=True),
        )
        return self.answer(note)

    @extend_schema(operation_id="notes_delete", tags=["notes"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        notes.delete_note(workspace=self.workspace, note_id=id, actor=self.actor)
        return Response(status=204)


class RestoreNoteView(WorkspaceView):
    """Take a note out of the bin."""

    roles = {"POST": Role.MEMBER}
    queryset = Note.objects.all()
    serializer_class = NoteSerializer

    @extend_schema(operation_id="notes_restore", tags=["notes"], request=None)
    def post(self, request, id):
        return self.answer(notes.restore_note(workspace=self.workspace, note_id=id, actor=self.actor))


class NoteHistoryView(WorkspaceView):
    """What a note said before, the latest first."""

    roles = {"GET": Role.MEMBER}
    queryset = NoteEdit.objects.all()
    serializer_class = NoteEditSerializer

    @extend_schema(
        operation_id="notes_history",
        tags=["notes"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(NoteEditSerializer)},
    )
    def get(self, request, id):
        note = notes.note_of(workspace=self.workspace, note_id=id)
        return self.listing(self.get_queryset().filter(note=note))
