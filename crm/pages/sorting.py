"""The orders of the list of contacts as people choose them: every one that the search knows, and the workspace's fields."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Max
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Workspace
from crm.models import Chat, Contact, CustomField, FieldKind, FieldValue
from crm.search.orders import SORT_NAMES

# Two names of one order.
ALIASES = {"changed": "updated_at"}
LABELS = {
    "name": gettext_lazy("Name"),
    "updated_at": gettext_lazy("Changed"),
    "created": gettext_lazy("Added"),
    "last_message": gettext_lazy("Last message"),
    "owner": gettext_lazy("Owner"),
    "stage": gettext_lazy("Stage"),
}
TIMES = ("updated_at", "created", "last_message")
# Orders whose value stands in a column of its own already; the last column is for the others.
IN_COLUMNS = ("name", "owner", "stage")
NUMBERS = (FieldKind.NUMBER, FieldKind.MONEY)


@dataclass(frozen=True)
class Order:
    """One order: its name on the API, what people call it, and the field of the workspace that it goes by."""

    name: str
    label: str
    field: CustomField | None = None

    @property
    def first(self) -> str:
        """The way round that comes first: the latest times, else the smallest value."""
        return f"-{self.name}" if self.name in TIMES else self.name

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        """Both ways round with their words, the usual one first."""
        if self.name in TIMES:
            return ((f"-{self.name}", _("latest first")), (self.name, _("earliest first")))
        kind = self.field.kind if self.field else ""
        if kind in NUMBERS:
            up, down = _("smallest first"), _("largest first")
        elif kind == FieldKind.DATE:
            up, down = _("earliest first"), _("latest first")
        elif kind == FieldKind.BOOLEAN:
            up, down = _("“No” first"), _("“Yes” first")
        elif self.name == "stage":
            up, down = _("first stages first"), _("last stages first")
        else:
            up, down = _("A to Z"), _("Z to A")
        return ((self.name, up), (f"-{self.name}", down))


def orders(fields: Iterable[CustomField]) -> dict[str, Order]:
    """All orders by name, those of fields behind the others."""
    names = [name for name in SORT_NAMES if not name.startswith("-") and name not in ALIASES]
    own = [Order(name, str(LABELS.get(name, name.replace("_", " ").capitalize()))) for name in names]
    of_fields = [Order(f"field:{field.pk}", field.name, field) for field in fields]
    return {order.name: order for order in (*own, *of_fields)}


def plain_sort(sort: str) -> str:
    """A sort by the one name that it has on pages."""
    sign, name = ("-", sort[1:]) if sort.startswith("-") else ("", sort)
    return sign + ALIASES.get(name, name)


def show_values(workspace: Workspace, order: Order, contacts: list[Contact]) -> None:
    """Give each contact what it is ordered by, as `moment` or as `sorted_by` in words: one statement at most."""
    ids = [contact.pk for contact in contacts]
    for contact in contacts:
        contact.moment, contact.sorted_by = None, ""
    if order.field is not None:
        rows = FieldValue.objects.for_workspace(workspace).filter(contact__in=ids, field=order.field)
        values = dict(rows.values_list("contact_id", "value"))
        for contact in contacts:
            contact.sorted_by = value_text(order.field, values.get(contact.pk))
    elif order.name == "last_message":
        rows = Chat.objects.for_workspace(workspace).filter(contact__in=ids).values("contact_id")
        latest = dict(rows.annotate(at=Max("last_message_at")).values_list("contact_id", "at"))
        for contact in contacts:
            contact.moment = latest.get(contact.pk)
    else:
        for contact in contacts:
            contact.moment = contact.created_at if order.name == "created" else contact.updated_at


def value_text(field: CustomField, value) -> str:
    """A value of a field as people read it; nothing for none."""
    if value is None:
        return ""
    if field.kind in (FieldKind.CHOICE, FieldKind.MULTIPLE):
        chosen = value if isinstance(value, list) else [value]
        return ", ".join(option["label"] for option in field.options if option["id"] in chosen)
    if field.kind == FieldKind.BOOLEAN:
        return _("Yes") if value else _("No")
    if field.kind == FieldKind.DATE:
        return formats.date_format(date.fromisoformat(value), "SHORT_DATE_FORMAT")
    return f"{value} {field.currency}".strip() if field.kind == FieldKind.MONEY else str(value)
