"""Recurrence in words: the rules that people choose from, and any rule read out."""

from django.utils.dates import WEEKDAYS
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from waplus.lib.recurrence import Frequency, InvalidRule, Rule, parse_rule

CHOICES = [
    ("", gettext_lazy("Once")),
    ("FREQ=DAILY", gettext_lazy("Every day")),
    ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", gettext_lazy("Every weekday, Monday to Friday")),
    ("FREQ=WEEKLY", gettext_lazy("Every week")),
    ("FREQ=WEEKLY;INTERVAL=2", gettext_lazy("Every two weeks")),
    ("FREQ=MONTHLY", gettext_lazy("Every month")),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", gettext_lazy("At the end of every month")),
    ("FREQ=MONTHLY;INTERVAL=3", gettext_lazy("Every three months")),
    ("FREQ=YEARLY", gettext_lazy("Every year")),
]


def in_words(text: str) -> str:
    """How a rule recurs, for people; one that nobody could choose here by its frequency and "on certain days"."""
    for rule, words in CHOICES:
        if rule == text:
            return str(words)
    try:
        rule = parse_rule(text)
    except InvalidRule:
        return _("Repeats")
    words = _every(rule)
    if rule.frequency == Frequency.WEEKLY and rule.by_day and not (rule.by_month or rule.by_set_pos):
        days = get_text_list([str(WEEKDAYS[weekday]) for weekday, _ordinal in rule.by_day], _("and"))
        words = _("%(every)s on %(days)s") % {"every": words, "days": days}
    elif rule.by_day or rule.by_month_day or rule.by_month or rule.by_set_pos:
        words = _("%(every)s on certain days") % {"every": words}
    if rule.count is not None or rule.until is not None:
        words = _("%(every)s, for a time") % {"every": words}
    return words


def _every(rule: Rule) -> str:
    count = rule.interval
    sentences = {
        Frequency.DAILY: ngettext("Every day", "Every %(count)s days", count),
        Frequency.WEEKLY: ngettext("Every week", "Every %(count)s weeks", count),
        Frequency.MONTHLY: ngettext("Every month", "Every %(count)s months", count),
        Frequency.YEARLY: ngettext("Every year", "Every %(count)s years", count),
    }
    return sentences[rule.frequency] % {"count": count}
