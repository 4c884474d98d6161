"""Decisions in words: a sentence for the verdict, and one for each rule."""

from django.contrib.humanize.templatetags.humanize import apnumber
from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging.models import AutoReplyDecision, Verdict
from messaging.services.templating import EMPTY, TOO_LONG


def _ago(minutes: int) -> str:
    if minutes < 1:
        return _("less than a minute ago")
    if minutes < 120:
        return ngettext("%(count)s minute ago", "%(count)s minutes ago", minutes) % {"count": apnumber(minutes)}
    hours = minutes // 60
    if hours < 48:
        return _("%(count)s hours ago") % {"count": apnumber(hours)}
    return _("%(count)s days ago") % {"count": apnumber(hours // 24)}


def _until(facts: dict) -> str:
    moment = parse_datetime(facts.get("until") or "")
    return f"{localtime(moment):%Y-%m-%d %H:%M}" if moment else ""


def missing_words(name: str) -> str:
    """What is missing in a text, by the name that rendering gives it."""
    if name == EMPTY:
        return _("the text would have been empty")
    if name == TOO_LONG:
        return _("the text would have been too long")
    return _("“%(name)s” is missing for this contact") % {"name": name}


def _loop(facts: dict) -> str:
    count = apnumber(facts.get("count", 0))
    if facts.get("why") == "quick":
        why = _("%(count)s messages in a row came within seconds of our answers") % {"count": count}
    elif facts.get("why") == "same":
        why = _("the same was written %(count)s times, each time after an answer") % {"count": count}
    else:
        why = _("there were %(count)s answers with no person in between") % {"count": count}
    return _("Did not answer: a robot seems to write here, %(why)s. The chat is muted for a day.") % {"why": why}


def sentence_of(verdict: str, facts: dict) -> str:
    """What was decided on a message and why, for people."""
    minutes = facts.get("minutes", 0)
    if verdict == Verdict.ANSWERED:
        return _("Answered.")
    if verdict == Verdict.ACTED:
        return _("Did what the rule says, without an answer.")
    if verdict == Verdict.OLD:
        return _("Did not answer: the message was written %(ago)s.") % {"ago": _ago(minutes)}
    if verdict == Verdict.MUTED:
        return _("Did not answer: the chat is muted until %(until)s, because a robot seems to write here.") % {
            "until": _until(facts)
        }
    if verdict == Verdict.TAKEN_OVER:
        if until := _until(facts):
            return _("Did not answer: a member has taken the chat over until %(until)s.") % {"until": until}
        return _("Did not answer: a member has taken the chat over.")
    if verdict == Verdict.MEMBER_WROTE:
        return _("Did not answer: a member wrote %(ago)s.") % {"ago": _ago(minutes)}
    if verdict == Verdict.ECHO:
        return _("Did not answer: these are our own words, coming back.")
    if verdict == Verdict.LOOP:
        return _loop(facts)
    if verdict == Verdict.OPTED_OUT:
        return _("Did not answer: this person does not want to be contacted.")
    if verdict == Verdict.COOL_DOWN:
        return _("Did not answer: the rule that fits answered here %(ago)s.") % {"ago": _ago(minutes)}
    if verdict == Verdict.CHAT_CAP:
        limit = facts.get("limit", 0)
        return _("Did not answer: more than %(limit)s answers an hour go into no chat.") % {"limit": limit}
    if verdict == Verdict.NUMBER_CAP:
        limit = facts.get("limit", 0)
        return _("Did not answer: more than %(limit)s answers an hour come from no number.") % {"limit": limit}
    if verdict == Verdict.MISSING_VARIABLE:
        return _("Did not answer: %(missing)s.") % {"missing": missing_words(facts.get("name", ""))}
    if verdict == Verdict.FAILED:
        return _("A rule fits, and nothing of it could be done.")
    return _("Did not answer: no rule fits.")


def decision_sentence(decision: AutoReplyDecision) -> str:
    return sentence_of(decision.verdict, decision.facts)


def rule_sentence(told: dict, *, answered: bool = True) -> str:
    """What became of one rule."""
    keyword = told.get("keyword")
    stands = _(" (“%(keyword)s” stands in it)") % {"keyword": keyword} if keyword else ""
    why, name = told.get("why"), told.get("name", "")
    if why == "fits":
        return (_("Fits%(stands)s.") if answered else _("Would have answered%(stands)s.")) % {"stands": stands}
    if why == "stopped":
        return _("Not tried: a rule before it fits, and no later one is tried after that.")
    if why == "cool_down":
        return _("Fits%(stands)s, but rests: it answered here %(ago)s.") % {
            "stands": stands,
            "ago": _ago(told.get("minutes", 0)),
        }
    if why == "outside":
        return _("Does not fit: it was outside of the hours “%(name)s”.") % {"name": name}
    if why == "inside":
        return _("Does not fit: it was within the hours “%(name)s”.") % {"name": name}
    if why == "first_message":
        if days := told.get("days"):
            return _("Does not fit: it was not the first message in %(days)s days.") % {"days": days}
        return _("Does not fit: it was not the first message of the chat.")
    if why == "last_outbound":
        return _("Does not fit: something was sent in the last %(hours)s hours.") % {"hours": told.get("hours")}
    if why == "contact":
        return _("Does not fit: the contact is not as the rule says.")
    if why == "missing_variable":
        return _("Fits, but sent nothing: %(missing)s.") % {"missing": missing_words(name)}
    return _("Does not fit.")


def failed_sentence(failed: dict) -> str:
    """Why an action could not be done."""
    acts = {
        "tag": _("The tag could not be put on"),
        "untag": _("The tag could not be taken off"),
        "assign": _("The contact could not be given to the member"),
        "remind": _("The reminder could not be made"),
        "webhook": _("The event could not be recorded"),
    }
    whys = {
        "not_found": _("it is gone"),
        "does_not_exist": _("it is gone"),
        "invalid": _("the chat is with nobody in the contacts"),
        "not_a_member": _("the member is gone"),
    }
    act = acts.get(failed.get("action"), _("Something could not be done"))
    return f"{act}: {whys.get(failed.get('code'), failed.get('code'))}."


def other_sentences(others: dict) -> list[str]:
    """What became of the rules that were not near, by reason."""
    said = {
        "text": ngettext(
            "%(count)s rule looks for words that are not in the message.",
            "%(count)s rules look for words that are not in the message.",
            others.get("text", 0),
        ),
        "number": ngettext(
            "%(count)s rule is for other numbers.", "%(count)s rules are for other numbers.", others.get("number", 0)
        ),
        "chat_kind": ngettext(
            "%(count)s rule is not for this kind of chat.",
            "%(count)s rules are not for this kind of chat.",
            others.get("chat_kind", 0),
        ),
    }
    return [said[reason] % {"count": count} for reason, count in others.items() if reason in said and count]
