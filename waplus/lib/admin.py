"""What every page of the admin derives from: reading first, exact look-ups, bounded counts, masked numbers."""

from uuid import UUID

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.views import ChangeList

from waplus.lib.jids import InvalidJid, JidKind, parse_jid
from waplus.lib.phones import format_phone

EMPTY = "–"


class BoundedPaginator(Paginator):
    """Counts no further than `MOST` rows, so that a table of millions answers like one of hundreds."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by().values("pk")[: self.MOST].count()


class StaffChangeList(ChangeList):
    """Offers “show all” only where something was left out, and takes dates beyond all calendars for wrong."""

    def get_filters(self, request):
        try:
            return super().get_filters(request)
        except OverflowError as error:
            raise IncorrectLookupParameters(error)

    def get_results(self, request) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class StaffModelAdmin(ModelAdmin):
    """A list that stays quick with millions of rows, and whose address bar is no way around what it hides.

    Subclasses with a search define `find`; `links` names the foreign keys by
    which other pages may narrow the list.
    """

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    ordering = ("-pk",)
    sortable_by = ()
    view_on_site = False
    empty_value_display = EMPTY
    links: tuple[str, ...] = ()

    def get_changelist(self, request, **kwargs):
        return StaffChangeList

    def find(self, queryset: QuerySet, term: str) -> QuerySet:
        """Rows that a search is for: exact values and indexed beginnings. A list without a search stays whole."""
        return queryset

    def get_search_results(self, request, queryset, search_term):
        term = search_term.strip()
        return (self.find(queryset, term) if term else queryset), False

    def lookup_allowed(self, lookup, value, request=None) -> bool:
        """Only what the page itself links to: a free look-up would find out hidden values letter by letter."""
        if any(lookup == getattr(one, "parameter_name", None) for one in self.list_filter):
            return True
        name, *rest = lookup.split("__")
        try:
            related = self.opts.get_field(name).is_relation
        except FieldDoesNotExist:
            return False
        if related:
            return name in (*self.links, *self.list_filter) and rest in ([], ["exact"], ["id", "exact"], ["isnull"])
        return name in (*self.list_filter, self.date_hierarchy) and len(rest) <= 1

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """Choices are choices: no buttons beside them to make or change what is chosen from."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def construct_change_message(self, request, form, formsets, add=False):
        return super().construct_change_message(request, form, [], add)

    def save_related(self, request, form, formsets, change) -> None:
        """Services have written everything in `save_model`; inlines are there to look at."""

    def response_action(self, request: HttpRequest, queryset: QuerySet):
        """Ids that are none select nothing."""
        try:
            return super().response_action(request, queryset)
        except (ValidationError, ValueError):
            self.message_user(request, _("Choose rows from the list."), messages.ERROR)
            return None


class ReadOnlyAdmin(StaffModelAdmin):
    """Rows that staff look at; what may be done to them are actions, which call services."""

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


class OfWorkspaceAdmin(ReadOnlyAdmin):
    """Rows of a workspace, to look at; found by the ids that `found_by` names.

    `hidden` are columns that stay in the database: what people wrote, whom it is
    about, and secrets. A subclass whose `__str__` needs one of them gives the row
    a title in `get_object`.
    """

    found_by: tuple[str, ...] = ("pk", "workspace")
    hidden: tuple[str, ...] = ()
    list_select_related = ("workspace",)
    search_fields = ("id",)
    search_help_text = gettext_lazy("ID of the row or of its workspace")
    links = ("workspace",)

    def get_queryset(self, request):
        return super().get_queryset(request).defer(*self.hidden)

    def find(self, queryset, term):
        uuid = as_uuid(term)
        return queryset.filter(any_of(self.found_by, uuid)) if uuid else queryset.none()

    @display(description=gettext_lazy("workspace"))
    def workspace_page(self, row):
        return related_link(row, "workspace")

    @display(description=gettext_lazy("made by"))
    def author(self, row):
        return related_link(row, "created_by")

    @display(description=gettext_lazy("device"))
    def device(self, row):
        return related_link(row, "instance")


class OfNumberAdmin(OfWorkspaceAdmin):
    """Rows of a WhatsApp number of a workspace. Numbers and chats are masked."""

    list_select_related = ("workspace", "whatsapp_account")

    @display(description=gettext_lazy("number"))
    def number(self, row):
        return related_link(row, "whatsapp_account", mask_jid(row.whatsapp_account.jid))

    @display(description=gettext_lazy("chat"))
    def chat_mask(self, row):
        return mask_jid(row.chat_jid)


class ReadOnlyInline(TabularInline):
    """Rows of another model on a page, to look at."""

    extra = 0
    per_page = 50
    can_delete = False
    hide_title = True
    empty_value_display = EMPTY

    def has_add_permission(self, request, obj=None) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


def as_uuid(text: str) -> UUID | None:
    """The UUID that a text is, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def any_of(names: tuple[str, ...], value) -> Q:
    """That one of these fields is the value."""
    return Q(**dict.fromkeys(names, value), _connector=Q.OR)


def page_link(model: type[Model] | str, pk, text) -> str:
    """A link to the admin page of a row; plain text where there is none."""
    if pk is None:
        return EMPTY
    label = model if isinstance(model, str) else model._meta.label_lower
    try:
        return format_html(
            '<a class="row-link" href="{}">{}</a>',
            reverse(f"admin:{label.replace('.', '_')}_change", args=[quote(pk)]),
            text,
        )
    except NoReverseMatch:
        return text


def related_link(row: Model, name: str, text=None) -> str:
    """A link to what a foreign key points to, under its own name if no other text is given."""
    field = row._meta.get_field(name)
    pk = getattr(row, field.attname)
    if pk is None:
        return EMPTY
    return page_link(field.related_model, pk, getattr(row, name) if text is None else text)


def mask_phone(digits: str) -> str:
    """A number for the eyes of staff: enough to recognise it, too little to call it. `+49 151 ••• 78`"""
    country = format_phone(digits).partition(" ")[0]
    rest = digits[len(country) - 1 :]
    shown = 3 if len(rest) >= 9 else 2 if len(rest) >= 7 else 0
    return " ".join(filter(None, [country, rest[:shown], "•••", rest[-2:]])) if len(rest) >= 5 else "•••"


def mask_jid(text: str) -> str:
    """A WhatsApp id for the eyes of staff."""
    try:
        jid = parse_jid(text)
    except InvalidJid:
        return "•••"
    if jid.kind is JidKind.PERSON:
        return mask_phone(jid.user)
    names = {
        JidKind.LID: _("Linked ID"),
        JidKind.GROUP: _("Group"),
        JidKind.CHANNEL: _("Channel"),
        JidKind.BROADCAST: _("Broadcast list"),
    }
    return f"{names[jid.kind]} ••• {jid.user[-2:]}"
