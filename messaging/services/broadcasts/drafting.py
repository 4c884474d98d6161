"""Drafts of broadcasts: made, changed, copied, thrown away."""

from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import User, Workspace
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.models import WhatsAppAccount
from messaging.models import Broadcast, BroadcastSetting, BroadcastState, HoursOf
from messaging.models.broadcasts import EVERY_DAY
from messaging.services import contents
from messaging.services.broadcasts.audience import checked_audience
from messaging.services.templating import check_text
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.walltime import to_utc

MAX_NAME = 100
MAX_RATE = 100_000
MAX_REPLY_DAYS = 60
YEARS_AHEAD = 2
# A clock a little wrong is no reason to refuse.
TOLERANCE = timedelta(minutes=5)
COPIED = (
    *("whatsapp_account", "audience", "time_zone", "hours_days", "hours_from", "hours_to", "hours_of"),
    *("rate_per_hour", "reply_days", "allow_partial"),
)


def locked(workspace: Workspace, broadcast_id: UUID) -> Broadcast:
    """A broadcast, locked; foreign ones are unknown ones."""
    rows = Broadcast.objects.for_workspace(workspace).select_related("workspace__plan", "created_by")
    broadcast = rows.select_for_update(of=("self",), no_key=True).filter(pk=broadcast_id).first()
    if broadcast is None:
        raise NotFound
    return broadcast


def _clean(workspace: Workspace, user: User | None, values: dict) -> dict:
    """Values as they are kept; raises `Invalid` for what is wrong by itself."""
    values = dict(values)
    if "name" in values:
        values["name"] = " ".join(values["name"].split())[:MAX_NAME]
        if not values["name"]:
            raise Invalid("name", "blank", "Give it a name by which the team knows it.")
    if "audience" in values:
        values["audience"] = checked_audience(workspace=workspace, user=user, audience=values["audience"])
    if "hours" in values:
        values |= _hours(values.pop("hours"))
    return values


def _check_parts(workspace: Workspace, parts: Sequence[dict]) -> None:
    for index, part in enumerate(parts):
        check_text(workspace, part.get("body") or "", field=f"parts.{index}.body")


def _hours(given: dict | None) -> dict:
    """The fields of the allowed hours; None are all hours of all days."""
    given = given or {}
    begin, end = given.get("from"), given.get("to")
    if end == time.min:
        end = None  # midnight, at the end of the day
    if begin == time.min:
        begin = None
    if begin is not None and end is not None and end <= begin:
        raise Invalid("hours.to", "invalid", "The hours end after they begin, on the same day.")
    return {
        "hours_days": sorted(set(given.get("days") or EVERY_DAY)),
        "hours_from": begin,
        "hours_to": end,
        "hours_of": given.get("of") or HoursOf.RECIPIENT,
    }


def _derive(broadcast: Broadcast, given: Collection[str]) -> None:
    """The moments that follow from walls and zone; what was given anew lies ahead."""
    now = timezone.now()
    for wall, moment in (("start_wall", "starts_at"), ("end_wall", "ends_at")):
        value: datetime | None = getattr(broadcast, wall)
        if value is not None and not now.year - 1 <= value.year <= now.year + YEARS_AHEAD:
            raise Invalid(wall, "too_far", f"A broadcast can be planned {YEARS_AHEAD} years ahead at most.")
        setattr(broadcast, moment, None if value is None else to_utc(value, broadcast.time_zone))
    if "start_wall" in given and broadcast.starts_at and broadcast.starts_at < now - TOLERANCE:
        raise Invalid("start_wall", "in_the_past", "This time has passed in that time zone.")
    if "end_wall" in given and broadcast.ends_at and broadcast.ends_at <= now:
        raise Invalid("end_wall", "in_the_past", "This time has passed in that time zone.")
    if broadcast.starts_at and broadcast.ends_at and broadcast.ends_at <= broadcast.starts_at:
        raise Invalid("end_wall", "invalid", "It ends after it begins.")


@transaction.atomic
def create_broadcast(
    *,
    workspace: Workspace,
    user: User,
    actor: Actor,
    name: str,
    whatsapp_account: WhatsAppAccount,
    parts: list[dict] = (),
    id: UUID | None = None,
    **values,
) -> tuple[Broadcast, bool]:
    """A draft, and whether it is new: a repeat with the same id answers the one that is there."""
    if existing := Broadcast.objects.of_client(workspace, id):
        return existing, False
    values = _clean(workspace, user, {"audience": {}, "time_zone": user.time_zone or "UTC", **values, "name": name})
    broadcast = Broadcast(
        id=id or uuid7(), workspace=workspace, whatsapp_account=whatsapp_account, created_by=user, **values
    )
    _derive(broadcast, values)
    _check_parts(workspace, parts)
    return _save_new(broadcast, parts, actor)


def _save_new(broadcast: Broadcast, parts: Sequence[dict], actor: Actor) -> tuple[Broadcast, bool]:
    """Write a draft and what it says, and whether that is new: of two requests that race with one id the first is answered."""
    try:
        with transaction.atomic():
            broadcast.save(force_insert=True)
    except IntegrityError:
        if (existing := Broadcast.objects.of_client(broadcast.workspace, broadcast.pk)) is None:
            raise
        return existing, False
    if parts:
        contents.write_parts(workspace=broadcast.workspace, parts=parts, broadcast=broadcast)
    record_event(kind="broadcast.created", actor=actor, workspace=broadcast.workspace, obj=broadcast)
    return broadcast, True


@transaction.atomic
def update_broadcast(
    *,
    workspace: Workspace,
    broadcast_id: UUID,
    user: User,
    actor: Actor,
    precondition=lambda broadcast: None,
    parts: list[dict] | None = None,
    **values,
) -> Broadcast:
    """Change a draft. What has begun, or waits for its time, stays as it is."""
    broadcast = locked(workspace, broadcast_id)
    precondition(broadcast)
    _refuse_unless_draft(broadcast)
    # Filters about "me" and private tabs are those of who made the draft.
    changed = set_changed(broadcast, _clean(workspace, broadcast.created_by or user, values))
    _derive(broadcast, changed)
    if parts is not None:
        _check_parts(workspace, parts)
        contents.replace_parts(workspace=workspace, parts=parts, broadcast=broadcast)
        changed = [*changed, "parts"]
    if changed:
        broadcast.problem = ""
        broadcast.save()
        record_event(kind="broadcast.updated", actor=actor, workspace=workspace, obj=broadcast, changed=changed)
    return broadcast


def _refuse_unless_draft(broadcast: Broadcast) -> None:
    if broadcast.state != BroadcastState.DRAFT:
        raise Refused(
            "wrong_state", "Only a draft can be changed. Copy it to send it again.", extra={"state": broadcast.state}
        )


@transaction.atomic
def delete_broadcast(*, workspace: Workspace, broadcast_id: UUID, actor: Actor) -> None:
    """Throw a draft away. What was started is kept, because it says what was sent."""
    broadcast = locked(workspace, broadcast_id)
    _refuse_unless_draft(broadcast)
    record_event(kind="broadcast.deleted", actor=actor, workspace=workspace, obj=broadcast)
    broadcast.delete()


@transaction.atomic
def duplicate_broadcast(
    *, workspace: Workspace, broadcast_id: UUID, user: User, actor: Actor, name: str, id: UUID | None = None
) -> tuple[Broadcast, bool]:
    """A draft that says the same to the same audience, without the times of start and end."""
    source = Broadcast.objects.for_workspace(workspace).filter(pk=broadcast_id).first()
    if source is None:
        raise NotFound
    if existing := Broadcast.objects.of_client(workspace, id):
        return existing, False
    copy = Broadcast(id=id or uuid7(), workspace=workspace, created_by=user, name=name[:MAX_NAME] or source.name)
    for column in COPIED:
        setattr(copy, column, getattr(source, column))
    return _save_new(copy, [{"body": part.body, "media": part.media} for part in contents.parts_of(source)], actor)


@transaction.atomic
def set_members_may_start(*, workspace: Workspace, actor: Actor, members_may_start: bool) -> BroadcastSetting:
    """Let members start broadcasts, or leave that to admins."""
    setting, _ = BroadcastSetting.objects.select_for_update().get_or_create(workspace=workspace)
    if setting.members_may_start != members_may_start:
        setting.members_may_start = members_may_start
        setting.save(update_fields=["members_may_start"])
        record_event(
            kind="broadcast_setting.updated",
            actor=actor,
            workspace=workspace,
            obj=setting,
            changed=["members_may_start"],
        )
    return setting


def members_may_start(workspace: Workspace) -> bool:
    """Whether members who are no admins start broadcasts."""
    return BroadcastSetting.objects.for_workspace(workspace).filter(members_may_start=True).exists()
