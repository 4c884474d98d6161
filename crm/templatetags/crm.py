"""What templates of the CRM say often: how a contact is called, numbers, chips, and forms that change a part of a page."""

from datetime import datetime, timedelta

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.models.contacts import numbers_of
from crm.models.imports import RowOutcome
from crm.services.wearers import CEILING
from waplus.lib.phones import format_phone

register = template.Library()

# Chips and tiles of people without a photo; which one somebody gets follows from their id and stays.
_TILES = 6


@register.filter
def numbers(contact) -> list[str]:
    """The numbers of a contact for people's eyes, each once."""
    identities = sorted(contact.identities.all(), key=lambda identity: identity.id)
    return [format_phone(digits) for digits in numbers_of((i.kind, i.value) for i in identities)]


@register.filter
def digits(contact) -> str:
    """The digits of a contact's first number, or nothing."""
    identities = sorted(contact.identities.all(), key=lambda identity: identity.id)
    return next(iter(numbers_of((i.kind, i.value) for i in identities)), "")


@register.filter
def title(contact) -> str:
    """What a contact is called on pages: the first of what is known of it."""
    known = (contact.name, contact.profile_name, contact.company, contact.email)
    if found := next(filter(None, known), ""):
        return found
    shown = numbers(contact)
    return shown[0] if shown else next((i.value for i in contact.identities.all()), str(contact.id)[-12:])


@register.filter
def initials(name: str) -> str:
    """Up to two letters for a person without a photo; a number has none."""
    words = [word for word in name.split() if word[0].isalpha()]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words]
    return "".join(letters).upper()


@register.filter
def tile(contact) -> str:
    """The class of a contact's tile."""
    return f"tile-{contact.id.int % _TILES}"


@register.filter
def observed(value: str) -> str:
    """An identity for people's eyes: a number as such, an id of WhatsApp as it is."""
    return format_phone(value.lstrip("+")) if value.startswith("+") else value


@register.filter
def chat_title(chat) -> str:
    """What a chat is called on pages; a person's without a name by the number."""
    return chat.own_name or chat.name or readable(chat.jid)


def readable(name: str) -> str:
    """A name as it is; the WhatsApp id of a person that stands for one as the number in it."""
    digits, _at, server = name.partition("@")
    return format_phone(digits) if server == "c.us" and digits.isdecimal() else name


@register.filter
def ago(moment: datetime) -> str:
    """How long ago a moment was, in its largest unit alone."""
    if timezone.now() - moment < timedelta(minutes=1):
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(moment, depth=1)}


@register.simple_tag
def sends(part: str, name: str, *args):
    """Attributes of a form that posts to a page by name, and shows `part` (an id) of the page that answers."""
    url = reverse(name, args=args)
    return format_html(
        'method="post" action="{}" hx-post="{}" hx-target="#{}" hx-select="#{}" hx-swap="outerHTML"'
        ' hx-select-oob="#messages:innerHTML"',
        url,
        url,
        part,
        part,
    )


@register.inclusion_tag("crm/parts/movers.html", takes_context=True)
def movers(context, part: str, route: str, key, *, name: str, first: bool, last: bool):
    """Two buttons that move a row of an ordered list; the part of the page that is shown anew is `part`."""
    ways = [(direction, reverse(route, args=[key, direction])) for direction in ("up", "down")]
    token = context.get("csrf_token")
    return {"ways": ways, "part": part, "key": key, "name": name, "first": first, "last": last, "csrf_token": token}


@register.simple_tag
def people(count: int) -> str:
    """A number of contacts in words; what was not counted to its end is "more than"."""
    if count > CEILING:
        return _("more than %(count)s contacts") % {"count": intcomma(CEILING)}
    return ngettext("%(count)s contact", "%(count)s contacts", count) % {"count": intcomma(count)}


@register.simple_tag
def tab_count(kept) -> str:
    """The kept count of a tab; what was not counted to its end is so many and more."""
    return intcomma(kept.count) if kept.exact else _("%(count)s+") % {"count": intcomma(kept.count)}


@register.simple_tag(takes_context=True)
def with_query(context, **changes) -> str:
    """The query string of the page with some parameters changed; an empty one is left out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in ("", None):
            query[name] = value
    return f"?{query.urlencode()}"


@register.filter
def outcome(value: str) -> str:
    """What becomes of a row of an import, in words."""
    return dict(RowOutcome.choices).get(value, value)
