"""Items as extensions upload them: read one by one, so that one which is wrong refuses itself alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.services.reports import ItemRefused, check_names, flag_of, id_of, moment_of
from messaging.models.scheduled import MAX_BODY
from messaging.services.conversations.states import MessageState
from waplus.lib.jids import InvalidJid, Jid, parse_jid

# `{fromMe}_{chat}_{id}[_{participant}]`, or with `_out` behind it in a chat with oneself.
_SERIALIZED = re.compile(r"(true|false)_([^_@]+(?:_\d+)?@[a-z.]+)_([^_]+)(?:_(.+))?")
_BARE = re.compile(r"[0-9A-Za-z.+/=:\-]{1,128}")
_NOTHING = frozenset({"undefined", "null", "none", "nan", "true", "false", "0"})
_TYPE = re.compile(r"[0-9A-Za-z_.\-]{1,40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_ID = UUID(int=0)
KEY = ("chat_jid", "message_id", "from_me", "participant")
MESSAGE = frozenset(
    {
        *KEY,
        *("type", "text", "sent_at", "media", "quoted_id", "previous_id", "live", "edited_at", "revoked_at", "ack"),
        "ack_scheme",
    }
)
EDIT, REVOCATION = frozenset({*KEY, "text", "edited_at"}), frozenset({*KEY, "revoked_at"})
REACTION = frozenset({*KEY, "reactor", "emoji", "reacted_at"})
COVER = frozenset({"chat_jid", "from", "to", "reached_start", "whatsapp_count"})
# The largest value of each number that a file is described by.
_MEDIA_NUMBERS = {"size": 1 << 40, "width": 100_000, "height": 100_000, "seconds": 1_000_000, "pages": 1_000_000}
_MEDIA_TEXTS = {"mime": 100, "name": 255}
MEDIA = frozenset({"id", "sha256", *_MEDIA_NUMBERS, *_MEDIA_TEXTS})
_MAX_COUNT = 10_000_000


@dataclass(frozen=True, slots=True)
class Key:
    """What a message is known by beside its number and its chat."""

    message_id: str
    from_me: bool
    participant: str


@dataclass(slots=True)
class Item:
    """A piece of news of a message: where, which, and what it says. `kind` is the list that it came in."""

    kind: str
    jid: Jid
    key: Key
    state: MessageState
    is_live: bool = False
    previous_id: str = ""
    reactor: str = ""
    emoji: str = ""
    reacted_at: datetime | None = None

    @property
    def has_content(self) -> bool:
        return self.state.has_content or bool(self.state.media_details or self.state.media_id)


@dataclass(slots=True)
class Cover:
    """A stretch of a chat that an upload holds wholly, in seconds since 1970."""

    jid: Jid
    start: float
    end: float
    reached_start: bool = False
    whatsapp_count: int | None = None


class Jids:
    """Reads the same few JIDs again and again, each once."""

    def __init__(self):
        self._read: dict[str, Jid] = {}

    def of(self, text: Any, name: str) -> Jid:
        """A JID, or `ItemRefused`."""
        if not isinstance(text, str) or not text:
            raise ItemRefused("required", f"Say in {name} which WhatsApp id it is.")
        if text not in self._read:
            try:
                self._read[text] = parse_jid(text[:200])
            except InvalidJid as error:
                raise ItemRefused("invalid_jid", str(error)) from error
        return self._read[text]


def bare_id(text: Any, name: str = "message_id") -> str:
    """The bare id of a message; refuses what is none, such as an empty one or `undefined`."""
    if not isinstance(text, str) or not _BARE.fullmatch(text) or text.lower() in _NOTHING:
        raise ItemRefused("invalid_message_id", f"{name} is no id of a message.")
    return text


def _key_of(item: Mapping, jids: Jids) -> tuple[Jid, Key]:
    jid = jids.of(item.get("chat_jid"), "chat_jid")
    from_me, text, participant = flag_of(item, "from_me"), item.get("message_id"), item.get("participant")
    if isinstance(text, str) and text.startswith(("true_", "false_")):
        parts = _SERIALIZED.fullmatch(text[:400])
        if parts is None:
            raise ItemRefused("invalid_message_id", "message_id is no id of a message.")
        if from_me is not None and from_me != (parts[1] == "true"):
            raise ItemRefused("invalid_message_id", "from_me says something else than message_id.")
        from_me, text = parts[1] == "true", parts[3]
        participant = participant or (parts[4] if parts[4] != "out" else None)
    if from_me is None:
        raise ItemRefused("required", "Say in from_me who wrote it.")
    if participant and not from_me and not jid.is_person:
        participant = str(jids.of(participant, "participant"))
    else:
        participant = ""
    return jid, Key(bare_id(text), from_me, participant)


def read_message(item: Any, jids: Jids) -> Item:
    """One of `messages`."""
    check_names(item, MESSAGE)
    jid, key = _key_of(item, jids)
    sent_at = moment_of(item, "sent_at")
    if sent_at is None:
        raise ItemRefused("required", "Say in sent_at when it was sent.")
    type = item.get("type", "chat")
    if not isinstance(type, str) or not _TYPE.fullmatch(type):
        raise ItemRefused("invalid", "type must be a short word such as chat or image.")
    edited_at, revoked_at = moment_of(item, "edited_at"), moment_of(item, "revoked_at")
    if type == "revoked" and revoked_at is None:
        revoked_at = sent_at
    text = _text_of(item)
    media_id, details = _media_of(item)
    if text is None and (media_id or details):
        text = ""
    quoted = item.get("quoted_id")
    previous = item.get("previous_id")
    state = MessageState(
        _NO_ID,
        sent_at=sent_at,
        type=type,
        quoted_id=_bare_of(quoted, "quoted_id") if quoted else "",
        ack=_ack_of(item) if key.from_me else None,
        edited_at=edited_at,
        revoked_at=revoked_at,
        text=text,
        content_at=edited_at if text is not None else None,
        media_id=media_id,
        media_details=details,
    )
    return Item(
        "message",
        jid,
        key,
        state if revoked_at is None else state.without_content(),
        bool(flag_of(item, "live")),
        _bare_of(previous, "previous_id") if previous else "",
    )


def read_edit(item: Any, jids: Jids) -> Item:
    """One of `edits`: the text as it is now."""
    check_names(item, EDIT)
    jid, key = _key_of(item, jids)
    edited_at = moment_of(item, "edited_at")
    if edited_at is None:
        raise ItemRefused("required", "Say in edited_at when it was edited.")
    text = _text_of(item)
    state = MessageState(_NO_ID, edited_at=edited_at, text=text, content_at=edited_at if text is not None else None)
    return Item("edit", jid, key, state)


def read_revocation(item: Any, jids: Jids) -> Item:
    """One of `revocations`: the message was deleted for everybody."""
    check_names(item, REVOCATION)
    jid, key = _key_of(item, jids)
    revoked_at = moment_of(item, "revoked_at")
    if revoked_at is None:
        raise ItemRefused("required", "Say in revoked_at when it was revoked.")
    return Item("revocation", jid, key, MessageState(_NO_ID, revoked_at=revoked_at))


def read_reaction(item: Any, jids: Jids) -> Item:
    """One of `reactions`. `reactor` is an id of WhatsApp or `me`; without one, in a chat with a person, it is them."""
    check_names(item, REACTION)
    jid, key = _key_of(item, jids)
    reacted_at = moment_of(item, "reacted_at")
    if reacted_at is None:
        raise ItemRefused("required", "Say in reacted_at when it was.")
    reactor, emoji = item.get("reactor"), item.get("emoji") or ""
    if not isinstance(emoji, str) or len(emoji) > 32 or (not emoji.isprintable() and "\u200d" not in emoji):
        raise ItemRefused("invalid", "emoji must be one reaction, or empty where it was taken back.")
    if reactor != "me":
        reactor = "peer" if jid.is_person else str(jids.of(reactor, "reactor"))
    return Item(
        "reaction",
        jid,
        key,
        MessageState(_NO_ID),
        reactor=reactor,
        emoji=emoji.replace("\x00", ""),
        reacted_at=reacted_at,
    )


def read_cover(item: Any, jids: Jids) -> Cover:
    """One of `covers`."""
    check_names(item, COVER)
    start, end = moment_of(item, "from"), moment_of(item, "to")
    if start is None or end is None or start > end:
        raise ItemRefused("invalid", "Say from when (from) to when (to) the upload is whole.")
    count = item.get("whatsapp_count")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= _MAX_COUNT):
        raise ItemRefused("invalid", "whatsapp_count must be a whole number.")
    return Cover(
        jids.of(item.get("chat_jid"), "chat_jid"),
        start.timestamp(),
        end.timestamp(),
        bool(flag_of(item, "reached_start")),
        count,
    )


def with_seen(item: Item, chat_id: UUID) -> MessageState:
    """What an item says, of a message that was seen in a chat. By hand, because `replace` takes thrice as long."""
    s = item.state
    return MessageState(
        *(chat_id, s.sent_at, s.type, s.quoted_id, s.ack, s.edited_at, s.revoked_at, s.text, s.content_at),
        *(s.media_id, s.media_details),
    )


def _bare_of(text: Any, name: str) -> str:
    """The bare id of another message, which may be given serialized."""
    if isinstance(text, str) and (parts := _SERIALIZED.fullmatch(text[:400])):
        text = parts[3]
    return bare_id(text, name)


def _text_of(item: Mapping) -> str | None:
    text = item.get("text")
    if text is None:
        return None
    if not isinstance(text, str):
        raise ItemRefused("invalid", "text must be a text.")
    if len(text) > MAX_BODY:
        raise ItemRefused("too_long", f"text has at most {MAX_BODY:,} characters.")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text.replace("\x00", "")


def _ack_of(item: Mapping) -> int | None:
    level, scheme = item.get("ack"), item.get("ack_scheme", "web")
    if level is None:
        return None
    if isinstance(level, bool) or not isinstance(level, int) or scheme not in ("web", "baileys"):
        raise ItemRefused("invalid", "ack must be a whole number, and ack_scheme web or baileys.")
    return web_ack(level, scheme)


def web_ack(level: int, scheme: str) -> int | None:
    """An acknowledgement as WhatsApp Web counts it; None where it says nothing (peer) or is unknown."""
    level -= scheme == "baileys"
    return level if -7 <= level <= 4 else None


def _media_of(item: Mapping) -> tuple[UUID | None, dict]:
    media = item.get("media")
    if media is None:
        return None, {}
    check_names(media, MEDIA)
    details: dict[str, Any] = {}
    for name, most in _MEDIA_NUMBERS.items():
        value = media.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise ItemRefused("invalid", f"media.{name} must be a number up to {most:,}.")
        details[name] = int(value)
    for name, most in _MEDIA_TEXTS.items():
        if (value := media.get(name)) is not None:
            if not isinstance(value, str):
                raise ItemRefused("invalid", f"media.{name} must be a text.")
            details[name] = value.encode("utf-8", "replace").decode().replace("\x00", "")[:most]
    if (digest := media.get("sha256")) is not None:
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise ItemRefused("invalid", "media.sha256 must be 64 hexadecimal digits in lower case.")
        details["sha256"] = digest
    return id_of(media, "id"), details


READERS = {"messages": read_message, "edits": read_edit, "revocations": read_revocation, "reactions": read_reaction}


@dataclass
class Upload:
    """What was read of a request: items, or why one was refused, by list and in their order."""

    lists: dict[str, list[Item | ItemRefused]] = field(default_factory=dict)
    covers: list[Cover | ItemRefused] = field(default_factory=list)

    @property
    def items(self) -> list[Item]:
        return [item for items in self.lists.values() for item in items if isinstance(item, Item)]


def read_upload(lists: Mapping[str, list], covers: list) -> Upload:
    """Read all lists of a request."""
    jids = Jids()
    return Upload(
        {name: [_read(read, item, jids) for item in lists.get(name, [])] for name, read in READERS.items()},
        [_read(read_cover, item, jids) for item in covers],
    )


def _read(read, item: Any, jids: Jids):
    try:
        return read(item, jids)
    except ItemRefused as error:
        return error
