"""A file goes with its last use; what a crash left in the storage goes, too.

Whoever carries a file points to it by a foreign key, so the uses are found in
the registry of models, whatever app they are of.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.core.files.storage import Storage, default_storage
from django.db import connection, transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.actors import SYSTEM, Actor
from accounts.models import Resource, Workspace
from accounts.services import plans
from accounts.services.events import record_event
from messaging.models import MediaFile, MediaPart
from messaging.services.media.keeping import delete_files_after_commit
from messaging.services.media.uploads import delete_abandoned_uploads
from waplus.lib.errors import NotFound, Refused

_BATCH = 1_000


def uses_of_files() -> list[tuple[type, str]]:
    """Every model and its field that points to files."""
    return [
        (relation.related_model, relation.field.name)
        for relation in MediaFile._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)
    ]


def _used() -> Q:
    used = Q()
    for model, field in uses_of_files():
        used |= Q(Exists(model._base_manager.filter(workspace=OuterRef("workspace"), **{field: OuterRef("pk")})))
    return used


def with_uses(files: QuerySet[MediaFile]) -> QuerySet[MediaFile]:
    """Files with `uses`: how often something carries them."""
    total = Value(0, output_field=IntegerField())
    for model, field in uses_of_files():
        rows = model._base_manager.filter(workspace=OuterRef("workspace"), **{field: OuterRef("pk")})
        counted = rows.order_by().values(field).annotate(count=Count("pk")).values("count")
        total = total + Coalesce(Subquery(counted, output_field=IntegerField()), 0)
    return files.annotate(uses=total)


@transaction.atomic
def delete_file(*, workspace: Workspace, actor: Actor, media_id: UUID) -> None:
    """Delete a file that nothing carries. Raises `media_in_use`."""
    media = MediaFile.objects.for_workspace(workspace).select_for_update().filter(pk=media_id).first()
    if media is None:
        raise NotFound
    # Looked at behind the lock: whoever was just taking the file has committed before it was free.
    if MediaFile.objects.for_workspace(workspace).filter(_used(), pk=media_id).exists():
        raise Refused("media_in_use")
    _delete([media], actor)


@transaction.atomic
def delete_unused_media(*, limit: int = 200) -> int:
    """Delete files that nothing has carried for a day since they were last uploaded; answers how many.

    Files that are just being taken are locked and stay.
    """
    unused = MediaFile.objects.filter(~_used(), wanted_at__lt=timezone.now() - settings.MEDIA_UNUSED_LIFE)
    locked = unused.select_for_update(skip_locked=True, of=("self",)).order_by("wanted_at")
    ids = list(locked.values_list("pk", flat=True)[:limit])
    # Looked at again behind the lock, by a statement that sees what was committed meanwhile.
    found = list(unused.filter(pk__in=ids).select_related("workspace"))
    _delete(found, SYSTEM)
    return len(found)


def _delete(files: list[MediaFile], actor: Actor) -> None:
    for media in files:
        plans.release(workspace=media.workspace, resource=Resource.MEDIA_BYTES, amount=media.size)
        record_event(kind="media.deleted", actor=actor, workspace=media.workspace, obj=media)
        delete_files_after_commit(media)
    MediaFile.objects.filter(pk__in=[media.pk for media in files])._raw_delete(using=connection.alias)


def delete_leftovers() -> int:
    """Delete uploads that were given up, and files in the storage that no row knows; answers how many there were."""
    before = timezone.now() - settings.MEDIA_UNUSED_LIFE
    count = 0
    while gone := delete_abandoned_uploads(before=before):
        count += gone
    for folder, model, fields in (("media", MediaFile, ("file", "thumbnail")), ("uploads", MediaPart, ("file",))):
        names = _names(default_storage, folder)
        while batch := list(islice(names, _BATCH)):
            count += _delete_strays(default_storage, set(batch), model, fields, before)
    return count


def _listed(storage: Storage, folder: str) -> tuple[list[str], list[str]]:
    try:
        return storage.listdir(folder)
    except FileNotFoundError:
        return [], []


def _names(storage: Storage, folder: str) -> Iterator[str]:
    for workspace_id in _listed(storage, folder)[0]:
        for name in _listed(storage, f"{folder}/{workspace_id}")[1]:
            yield f"{folder}/{workspace_id}/{name}"


def _delete_strays(storage: Storage, names: set[str], model: type, fields: tuple[str, ...], before: datetime) -> int:
    """Delete those that no row names. A row is written within minutes of its file, so young files are let be."""
    ids = set()
    for name in names:
        with suppress(ValueError):
            ids.add(UUID(name.rpartition("/")[2][:36]))
    known = {name for row in model.objects.filter(pk__in=ids).values_list(*fields) for name in row}
    deleted = 0
    for name in names - known:
        try:
            if storage.get_modified_time(name) < before:
                storage.delete(name)
                deleted += 1
        except FileNotFoundError:
            continue
    return deleted
