"""What templates of pages say often: icons, browsers by name, initials."""

import re

from django import template
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext

register = template.Library()

# The first match wins: Edge and Opera name Chrome as well, and Chrome names Safari.
_BROWSERS = [
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:Chrome|CriOS|Chromium)/(\d+)"),
    ("Safari", r"Version/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/"),
]
_SYSTEMS = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows NT"),
    ("macOS", "Mac OS X"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux"),
]


@register.simple_tag
def icon(name: str, css: str = ""):
    """A picture of the sprite; it is never the only bearer of a meaning."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        static("img/icons.svg"),
        name,
    )


@register.filter
def browser_name(user_agent: str) -> str:
    """`Chrome 140 on Windows`, as far as a user agent tells."""
    browser = next(
        (f"{name} {found[1]}" for name, pattern in _BROWSERS if (found := re.search(pattern, user_agent))), ""
    )
    system = next((name for name, mark in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or gettext("Unknown browser")


@register.filter
def code_marks(text: str) -> str:
    """Text in which `backticks` mark code, as HTML; everything else is escaped."""
    parts = str(text).split("`")
    marked = [
        format_html("<code>{}</code>", part) if index % 2 else conditional_escape(part)
        for index, part in enumerate(parts)
    ]
    return mark_safe("".join(marked))  # noqa: S308  (each part is escaped above)


@register.filter
def initial(name: str) -> str:
    """The first letter of a name, for its tile."""
    return name.strip()[:1] or "·"


@register.filter
def may(membership, role: str) -> bool:
    """Whether a member's role includes `role`: `{% if membership|may:"admin" %}`."""
    return bool(membership) and membership.may(role)
