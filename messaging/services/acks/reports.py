"""Reading acknowledgements as extensions report them: ids in both spellings, numbers in both schemes."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from django.utils import timezone
from django.utils.translation import gettext_noop

from crm.services.reports import ItemRefused, check_names, moment_of, text_of
from messaging.services.dispatch.codes import FAILURE_CODES
from waplus.lib.jids import InvalidJid, parse_jid

NAMES = ("message_id", "ack", "scheme", "participant", "at", "code")


class Level(IntEnum):
    """How far a message is, in WhatsApp Web's numbers. Below are failures."""

    CLOCK = 0
    SENT = 1
    DELIVERED = 2
    READ = 3
    PLAYED = 4


# A message between the person's own devices: WhatsApp has it, and no recipient has done anything with it.
_PEER = 5
# The lowest and the highest number of each scheme, and how much higher than WhatsApp Web it counts.
SCHEMES = {"whatsapp_web": (-7, _PEER, 0), "baileys": (0, _PEER, 1)}

# Why WhatsApp did not send it, in words and as a code, where the report brings none.
FAILURES = {
    -1: ("other", gettext_noop("WhatsApp could not send it.")),
    -2: ("other", gettext_noop("WhatsApp gave up sending it after a while.")),
    -3: ("other", gettext_noop("WhatsApp says that it is gone.")),
    -4: ("media_failed", gettext_noop("Its file is too big for WhatsApp.")),
    -5: ("media_failed", gettext_noop("Its file could not be uploaded.")),
    -6: ("other", gettext_noop("WhatsApp says that it is inactive.")),
    -7: ("other", gettext_noop("WhatsApp could not send it in this form.")),
}
FAILURE_REASONS = frozenset(reason for _, reason in FAILURES.values())

_SERIALIZED = re.compile(r"(true|false)_[^@\s]+@[a-z.]+_([^_\s]+)(?:_\S+)?")
_BARE = re.compile(r"[0-9A-Za-z.-]{4,40}")
_NO_IDS = {"undefined", "null", "none"}


@dataclass(frozen=True)
class Ack:
    """One acknowledgement: of which message (bare id), by whom in a group ("" otherwise), how far, and when.

    `code` says why it failed. `level` is below 0 then, and a `Level` otherwise.
    """

    message_id: str
    participant: str
    level: int
    at: datetime
    code: str = ""

    @property
    def failed(self) -> bool:
        return self.level < 0


def read_ack(item) -> Ack:
    """An acknowledgement out of an item, or `ItemRefused`."""
    check_names(item, NAMES)
    level = _level(item)
    code = text_of(item, "code") or ""
    if code and (level >= 0 or code not in FAILURE_CODES):
        raise ItemRefused("invalid", f"code goes with a failure and is one of: {', '.join(FAILURE_CODES)}.")
    return Ack(
        message_id=_bare_id(text_of(item, "message_id", limit=300)),
        participant=_participant(text_of(item, "participant", limit=200)),
        level=level,
        at=moment_of(item, "at") or timezone.now(),
        code=code or (FAILURES[level][0] if level < 0 else ""),
    )


def _level(item: dict) -> int:
    scheme = item.get("scheme")
    if not isinstance(scheme, str) or scheme not in SCHEMES:
        raise ItemRefused("invalid", f"scheme must be one of: {', '.join(SCHEMES)}.")
    low, high, above = SCHEMES[scheme]
    ack = item.get("ack")
    if isinstance(ack, bool) or not isinstance(ack, int) or not low <= ack <= high:
        raise ItemRefused("invalid", f"ack must be a whole number from {low} to {high} in this scheme.")
    level = ack - above
    return Level.SENT if level == _PEER else level


def _bare_id(text: str | None) -> str:
    """The bare id, out of a bare or a serialized one. The chat in a serialized one may be spelled in two ways."""
    if not text or text.lower() in _NO_IDS:
        raise ItemRefused("required", "Say which message it is: message_id.")
    if found := _SERIALIZED.fullmatch(text):
        if found[1] == "false":
            raise ItemRefused("invalid", "This is a message that was received; only sent ones are acknowledged.")
        text = found[2]
    if not _BARE.fullmatch(text) or text.lower() in _NO_IDS:
        raise ItemRefused("invalid", "message_id must be a WhatsApp id, bare or serialized.")
    return text


def _participant(text: str | None) -> str:
    if not text:
        return ""
    try:
        jid = parse_jid(text)
    except InvalidJid as error:
        raise ItemRefused("invalid_jid", str(error)) from error
    if not jid.is_person:
        raise ItemRefused("invalid_jid", "A participant is a person: …@c.us or …@lid.")
    return str(jid)
