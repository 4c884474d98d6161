"""Merges of contacts on the API, and suggestions of more."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import Contact, Merge, MergeSuggestion
from crm.serializers.merges import (
    AcceptSerializer,
    MergeRequestSerializer,
    MergeSerializer,
    MergeSuggestionSerializer,
)
from crm.services import merging, suggestions
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of


class ContactMergeView(WorkspaceView):
    """Let another contact go into this one; it can be undone."""

    roles = {"POST": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = MergeSerializer

    @extend_schema(
        operation_id="contacts_merge",
        tags=["merges"],
        request=MergeRequestSerializer,
        responses={201: MergeSerializer, 200: MergeSerializer},
    )
    def post(self, request, id):
        kept = self.get_object()
        payload = self.valid(MergeRequestSerializer)
        merge, is_new = merging.merge_contacts(
            workspace=self.workspace,
            actor=self.actor,
            kept_id=kept.pk,
            absorbed_id=payload["other"].pk,
            id=payload.get("id"),
        )
        return self.answer(merge, status=201 if is_new else 200)


class ContactMergesView(WorkspaceView):
    """What was merged into a contact, the latest first."""

    roles = {"GET": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = MergeSerializer

    @extend_schema(
        operation_id="contacts_merges",
        tags=["merges"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(MergeSerializer)},
    )
    def get(self, request, id):
        return self.listing(Merge.objects.for_workspace(self.workspace).filter(kept=self.get_object()))


class MergeUndoView(WorkspaceView):
    """Undo a merge; undoing it again changes nothing."""

    roles = {"POST": Role.MEMBER}
    queryset = Merge.objects.all()
    serializer_class = MergeSerializer

    @extend_schema(operation_id="merges_undo", tags=["merges"], request=None)
    def post(self, request, id):
        return self.answer(merging.undo_merge(workspace=self.workspace, actor=self.actor, merge_id=id))


class MergeSuggestionsView(WorkspaceView):
    """Contacts that may be one person, with the reason; the latest first."""

    roles = {"GET": Role.MEMBER}
    queryset = MergeSuggestion.objects.all()
    serializer_class = MergeSuggestionSerializer

    @extend_schema(
        operation_id="merge_suggestions_list",
        tags=["merges"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(MergeSuggestionSerializer)},
    )
    def get(self, request):
        return self.listing(suggestions.open_suggestions(self.workspace))


class MergeSuggestionDismissView(WorkspaceView):
    """Say that two contacts are two people: they are suggested no more."""

    roles = {"POST": Role.MEMBER}
    queryset = MergeSuggestion.objects.all()
    serializer_class = MergeSuggestionSerializer

    @extend_schema(
        operation_id="merge_suggestions_dismiss", tags=["merges"], request=None, responses={204: OpenApiResponse()}
    )
    def post(self, request, id):
        suggestions.dismiss_suggestion(workspace=self.workspace, actor=self.actor, suggestion_id=id)
        return Response(status=204)


class MergeSuggestionAcceptView(WorkspaceView):
    """Merge the two contacts of a suggestion."""

    roles = {"POST": Role.MEMBER}
    queryset = MergeSuggestion.objects.all()
    serializer_class = MergeSerializer

    @extend_schema(
        operation_id="merge_suggestions_accept",
        tags=["merges"],
        request=AcceptSerializer,
        responses={201: MergeSerializer},
    )
    def post(self, request, id):
        self.get_object()
        kept = self.valid(AcceptSerializer).get("kept")
        merge = suggestions.accept_suggestion(
            workspace=self.workspace, actor=self.actor, suggestion_id=id, kept_id=kept and kept.pk
        )
        return self.answer(merge, status=201)
