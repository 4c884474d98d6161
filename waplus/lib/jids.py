"""WhatsApp identifiers (JIDs): canonical forms and what they denote.

The protocol writes a person as `…@s.whatsapp.net`, WhatsApp Web as `…@c.us`;
both may carry a device (`4915112345678:12@…`). A LID (`…@lid`) is an opaque id:
its digits are never a phone number. A business-scoped id (`BR.1502576394655843`)
names a person to one business alone, and is no JID.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class JidKind(StrEnum):
    """What a JID denotes."""

    PERSON = "c_us"
    LID = "lid"
    GROUP = "group"
    CHANNEL = "channel"
    BROADCAST = "broadcast"


class InvalidJid(ValueError):
    """The text is no WhatsApp id; the message is a sentence for people."""


@dataclass(frozen=True)
class Jid:
    """A canonical JID: without device, `s.whatsapp.net` written as `c.us`."""

    kind: JidKind
    user: str
    server: str

    def __str__(self) -> str:
        return f"{self.user}@{self.server}"

    @property
    def is_person(self) -> bool:
        return self.kind in (JidKind.PERSON, JidKind.LID)


_FORMS = {
    "c.us": (JidKind.PERSON, "c.us", re.compile(r"\d{5,20}")),
    "s.whatsapp.net": (JidKind.PERSON, "c.us", re.compile(r"\d{5,20}")),
    "lid": (JidKind.LID, "lid", re.compile(r"\d{5,25}")),
    "g.us": (JidKind.GROUP, "g.us", re.compile(r"\d{5,25}(-\d{5,20})?")),
    "newsletter": (JidKind.CHANNEL, "newsletter", re.compile(r"\d{5,25}")),
    "broadcast": (JidKind.BROADCAST, "broadcast", re.compile(r"status|\d{5,25}")),
}
_DEVICE = re.compile(r"(_\d+)?(:\d+)?$")


def parse_jid(text: str) -> Jid:
    """Read a JID in any of its spellings, or raise `InvalidJid`."""
    user, at, server = text.strip().partition("@")
    form = _FORMS.get(server.lower()) if at else None
    if form is None:
        raise InvalidJid("This is not a WhatsApp id such as 4915112345678@c.us.")
    kind, canonical_server, pattern = form
    if kind in (JidKind.PERSON, JidKind.LID):
        user = _DEVICE.sub("", user)
    if not user.isascii() or not pattern.fullmatch(user):
        raise InvalidJid(f"This is not a WhatsApp id of the form …@{canonical_server}.")
    return Jid(kind, user, canonical_server)


# A country (ISO 3166), `ENT` where the id is shared by linked businesses, and up to 128 letters and digits.
_BSUID = re.compile(r"([A-Za-z]{2})((?:\.ENT)?\.[0-9A-Za-z]{1,128})")


def parse_bsuid(text: str) -> str:
    """The canonical form of a business-scoped id: its country in capitals, the rest as it is. Raises `InvalidJid`."""
    found = _BSUID.fullmatch(text.strip())
    if found is None:
        raise InvalidJid("This is not a business-scoped id such as BR.1502576394655843.")
    return found[1].upper() + found[2]
