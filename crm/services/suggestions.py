"""Suggestions of merges: found by a sweep and by observation, dismissed or accepted by people."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from crm.models import Merge, MergeSuggestion, SuggestionReason
from crm.services.merging import merge_contacts
from waplus.lib.errors import Invalid, NotFound

MAX_DETAIL = 300


def open_suggestions(workspace: Workspace) -> QuerySet[MergeSuggestion]:
    """Suggestions that nobody has dismissed, of contacts that are both there."""
    both_alive = {f"{side}__{column}": None for side in ("one", "other") for column in ("deleted_at", "merged_into")}
    found = MergeSuggestion.objects.for_workspace(workspace).filter(dismissed_at=None, **both_alive)
    return found.select_related("one", "other")


def suggest(*, workspace: Workspace, pairs: Iterable[tuple[UUID, UUID, SuggestionReason, str]]) -> None:
    """Suggest merges of pairs of contacts; a pair that was suggested before, dismissed or not, stays as it is."""
    rows = {}
    for first, second, reason, detail in pairs:
        one, other = sorted((first, second))
        rows[one, other] = MergeSuggestion(
            workspace=workspace, one_id=one, other_id=other, reason=reason, detail=detail[:MAX_DETAIL]
        )
    MergeSuggestion.objects.bulk_create([rows[pair] for pair in sorted(rows)], ignore_conflicts=True)


def _locked(workspace: Workspace, suggestion_id: UUID) -> MergeSuggestion:
    found = MergeSuggestion.objects.for_workspace(workspace).select_for_update(no_key=True)
    suggestion = found.filter(pk=suggestion_id).first()
    if suggestion is None:
        raise NotFound
    return suggestion


@transaction.atomic
def dismiss_suggestion(*, workspace: Workspace, actor: Actor, suggestion_id: UUID) -> None:
    """Say that the two are two people; they are suggested no more. Saying it again changes nothing."""
    suggestion = _locked(workspace, suggestion_id)
    if suggestion.dismissed_at is None:
        suggestion.dismissed_at = timezone.now()
        suggestion.save(update_fields=["dismissed_at"])
        record_event(kind="merge_suggestion.dismissed", actor=actor, workspace=workspace, obj=suggestion)


@transaction.atomic
def accept_suggestion(*, workspace: Workspace, actor: Actor, suggestion_id: UUID, kept_id: UUID | None = None) -> Merge:
    """Merge the two; `kept_id` says which one stays, without it the older one."""
    suggestion = MergeSuggestion.objects.for_workspace(workspace).filter(pk=suggestion_id).first()
    if suggestion is None:
        raise NotFound
    kept_id = kept_id or suggestion.one_id
    if kept_id not in (suggestion.one_id, suggestion.other_id):
        raise Invalid("kept", "invalid_choice", "The contact that stays must be one of the two.")
    absorbed_id = suggestion.other_id if kept_id == suggestion.one_id else suggestion.one_id
    return merge_contacts(workspace=workspace, actor=actor, kept_id=kept_id, absorbed_id=absorbed_id)[0]
