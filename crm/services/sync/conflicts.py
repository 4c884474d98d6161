"""Field-level conflicts: which of the wanted values may be set on a row that others changed meanwhile."""

from dataclasses import dataclass, field
from uuid import UUID

from crm.models.synced import SyncedModel


@dataclass(frozen=True)
class Base:
    """The state that a device's change started from.

    `version` is the row's when the device changed it, `versions` those of
    single members where they differ, `epoch` the history that they count in.
    """

    epoch: UUID | None = None
    version: int = 0
    versions: dict[str, int] = field(default_factory=dict)

    def of(self, member: str) -> int:
        return self.versions.get(member, self.version)


@dataclass(frozen=True)
class Decision:
    """What may be set, and the members that somebody else changed to another value meanwhile."""

    values: dict
    conflicts: list[str]


def decide(row: SyncedModel, values: dict, base: Base, epoch: UUID | None) -> Decision:
    """Part the wanted values.

    A member may be set if it has not changed since its base version. If it has,
    it is no conflict where both mean the same. Versions of another epoch, or
    above the row's, were counted in a history that is gone: nothing follows from
    them, so everything that differs is a conflict.
    """
    allowed, conflicts = {}, []
    for member, value in values.items():
        column = row._meta.get_field(member).attname
        since = base.of(member) if base.epoch == epoch else 0
        is_fresh = row.field_versions.get(column, 1) <= since <= row.version
        if is_fresh or getattr(value, "pk", value) == getattr(row, column):
            allowed[member] = value
        else:
            conflicts.append(member)
    return Decision(allowed, conflicts)
