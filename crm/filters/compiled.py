"""A filter that was read: its normal form, its SQL, and rows that match it."""

from dataclasses import dataclass, field, replace

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts.models import User, Workspace
from crm.filters.contact_leaves import Owned
from crm.filters.nodes import And, Node, Scope
from crm.filters.sql import Driver, Sql, all_of
from crm.models import Contact
from waplus.lib.errors import FieldError


@dataclass(frozen=True)
class Filter:
    """A filter of a workspace over contacts or chats.

    `dead` names the parts of a saved filter whose tag, field, stage or the like
    is gone; a filter that was read strictly has none.
    """

    workspace: Workspace
    target: str
    root: Node
    dead: tuple[FieldError, ...] = ()
    data: dict = field(default_factory=dict)

    @property
    def depends_on_viewer(self) -> bool:
        """Whether two members see different rows with it."""
        return any(isinstance(leaf, Owned) and "me" in leaf.values for leaf in self.root.leaves())

    def also(self, other: "Filter | None") -> "Filter":
        """What both match."""
        if other is None:
            return self
        root = And((self.root, other.root))
        return replace(self, root=root, dead=(*self.dead, *other.dead), data=root.data() if other.data else self.data)

    def _scope(self, viewer: User | None) -> Scope:
        return Scope(self.workspace, viewer.pk if viewer else None, timezone.now(), self.target)

    def condition(self, viewer: User | None = None) -> Sql:
        """SQL that is true or false over a row of `crm_contact` (or `crm_chat`), and its parameters.

        It names neither the workspace nor the bin: who uses it says both.
        """
        return self.root.condition(self._scope(viewer))

    def drivers(self, viewer: User | None = None) -> list[Driver]:
        """Selects of contacts' ids, each of which holds all that match; the likely shortest first."""
        return self.root.drivers(self._scope(viewer))

    def exact(self, viewer: User | None = None) -> Sql | None:
        """A select whose living contacts are all that match, where an index knows them by itself."""
        return next((driver.select for driver in self.root.drivers(self._scope(viewer)) if driver.is_exact), None)

    def along(self, viewer: User | None = None) -> Sql:
        """What one index in the order of the list of chats knows of all that match; true if there is no such."""
        known = self.root.along(self._scope(viewer))
        ranges = [each.condition for each in known if each.is_range]
        return all_of([*ranges, *[each.condition for each in known if not each.is_range][:1]])


def matching(rows, found: Filter, viewer: User | None):
    """The rows of a query of contacts or chats, as the filter's target says, that match."""
    condition = found.condition(viewer)
    return rows.filter(RawSQL(condition.text, condition.params, output_field=BooleanField()))  # noqa: S611


def contacts_matching(workspace: Workspace, found: Filter, viewer: User | None = None):
    """The living contacts that match, as a queryset."""
    return matching(Contact.objects.for_workspace(workspace).alive(), found, viewer)
