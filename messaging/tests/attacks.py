"""What a stranger would send: every write of the messaging API with a body that is right, and the ways to spoil one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

# Method, path and a body that is accepted, or accepted but for the state of what it names. `{name}` is an id of the target.
_NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
_LATER, _SOON = _NOW + timedelta(days=400), _NOW + timedelta(days=2)
_WALL = {"wall_time": f"{_LATER:%Y-%m-%dT%H:%M:%S}", "time_zone": "Europe/Berlin"}
_PARTS = [{"body": "Hello {{first_name|there}}", "media": "{media}"}]
_RULE = {
    "name": "Away",
    "enabled": False,
    "whatsapp_accounts": ["{account}"],
    "chat_kinds": ["person"],
    "conditions": [
        {"kind": "keyword", "words": ["price"], "match": "word"},
        {"kind": "pattern", "pattern": "pri[cs]e"},
        {"kind": "hours", "hours": "{hours}", "is": "inside"},
        {"kind": "first_message", "days": 3},
        {"kind": "last_outbound", "hours": 3},
        {"kind": "contact", "filter": {"tag": {"any": ["{tag}"]}}},
    ],
    "parts": _PARTS,
    "actions": [
        {"kind": "tag", "tag": "{tag}"},
        {"kind": "assign", "member": "{user}", "only_if_unowned": True},
        {"kind": "remind", "text": "Call", "minutes": 5, "member": "{user}"},
        {"kind": "webhook"},
    ],
    "stop_after_match": True,
    "cool_down_minutes": 5,
    "delay_seconds": 3,
}
_BROADCAST = {
    "name": "News",
    "whatsapp_account": "{account}",
    "parts": _PARTS,
    "audience": {
        "include": [{"contacts": ["{contact}"]}, {"tags": ["{tag}"]}, {"tab": "{tab}"}],
        "exclude": [{"import": "{import}"}, {"filter": {"tag": {"any": ["{tag}"]}}}],
    },
    "time_zone": "Europe/Berlin",
    "start_wall": _WALL["wall_time"],
    "end_wall": None,
    "hours": {"days": [1, 2], "from": "09:00", "to": "18:00", "of": "sender"},
    "rate_per_hour": 60,
    "reply_days": 7,
    "allow_partial": True,
}
_HOURS = {
    "name": "Shop",
    "time_zone": "Europe/Berlin",
    "intervals": [{"day": 1, "from": "09:00", "to": "17:30"}],
    "holidays": [{"date": "2026-12-24", "name": "Christmas", "from": "12:00", "to": "24:00"}],
}
_REPLY = {
    "name": "Greeting",
    "shortcut": "/hi",
    "folder": "{reply_folder}",
    "visibility": "team",
    "default_language": "en",
    "texts": [{"language": "en", "parts": _PARTS}],
}
_SCHEDULE = {
    "whatsapp_account": "{account}",
    "recipients": [{"contact": "{contact}"}, {"chat_jid": "5511987654399@c.us"}],
    "parts": _PARTS,
    **_WALL,
    "clock": "sender",
    "lateness_minutes": 60,
    "on_late": "skip",
}
_SERIES = {"rrule": "FREQ=DAILY;COUNT=3", "excluded": [f"{_LATER + timedelta(days=1):%Y-%m-%dT%H:%M:%S}"]}
_KEY = {"chat_jid": "5511987654321@c.us", "message_id": "3EB0AA11", "from_me": False, "participant": ""}
_UPLOAD = {
    "whatsapp_account": "{account}",
    "messages": [
        {
            **_KEY,
            "type": "image",
            "text": "Hi",
            "sent_at": _NOW.isoformat(),
            "media": {
                "id": "{media}",
                "mime": "image/png",
                "size": 5,
                "sha256": "00" * 32,
                "name": "a.png",
                "width": 1,
            },
            "quoted_id": "3EB0AA12",
            "previous_id": "3EB0AA13",
            "live": True,
            "ack": 1,
            "ack_scheme": "web",
        }
    ],
    "edits": [{**_KEY, "text": "Ho", "edited_at": _NOW.isoformat()}],
    "revocations": [{**_KEY, "revoked_at": _NOW.isoformat()}],
    "reactions": [{**_KEY, "reactor": "me", "emoji": "👍", "reacted_at": _NOW.isoformat()}],
    "covers": [
        {
            "chat_jid": "5511987654321@c.us",
            "from": (_NOW - timedelta(days=1)).isoformat(),
            "to": _NOW.isoformat(),
            "reached_start": False,
            "whatsapp_count": 3,
        }
    ],
}
_BUDGET = {
    "spacing_seconds": 5,
    "jitter_seconds": 5,
    "max_per_hour": 100,
    "max_per_day": 100,
    "max_new_per_day": 10,
    "quiet_from": "21:00",
    "quiet_until": "08:00",
    "zone": "Europe/Berlin",
    "warm_up_from": "2026-01-01",
    "warm_up_start": 50,
    "warm_up_days": 14,
    "min_reply_percent": 10,
    "resume_cold": True,
}
WRITES: list[tuple[str, str, dict]] = [
    ("POST", "auto-replies/", {"id": "{fresh}", **_RULE}),
    ("PATCH", "auto-replies/{auto_reply}/", _RULE),
    ("PUT", "auto-replies/order/", {"ids": ["{auto_reply}"]}),
    ("PATCH", "auto-replies/setting/", {
        "silence_minutes": 1, "chat_per_hour": 1, "number_per_hour": 1, "loop_exchanges": 2, "loop_minutes": 1,
    }),
    ("POST", "auto-replies/chats/take-over/", {
        "whatsapp_account": "{account}", "chat_jid": "4915112345677@c.us", "minutes": 5,
    }),
    ("POST", "auto-replies/chats/give-back/", {"whatsapp_account": "{account}", "chat_jid": "4915112345677@c.us"}),
    ("POST", "auto-replies/simulate/", {
        "rule": _RULE, "samples": ["hello"], "at": _NOW.isoformat(), "contact": "{contact}",
        "whatsapp_account": "{account}",
    }),
    ("POST", "auto-replies/simulate/", {
        "rules": ["{auto_reply}"], "since": (_NOW - timedelta(days=1)).isoformat(), "until": _NOW.isoformat(),
    }),
    ("POST", "business-hours/", {"id": "{fresh}", **_HOURS}),
    ("PATCH", "business-hours/{hours}/", _HOURS),
    ("POST", "broadcasts/", {"id": "{fresh}", **_BROADCAST}),
    ("PATCH", "broadcasts/{draft_broadcast}/", _BROADCAST),
    ("POST", "broadcasts/{draft_broadcast}/duplicate/", {"id": "{fresh}", "name": "Copy"}),
    ("POST", "broadcasts/{draft_broadcast}/start/", {}),
    ("PATCH", "broadcasts/settings/", {"members_may_start": True}),
    ("POST", "conversations/messages/", _UPLOAD),
    ("POST", "conversations/rules/", {
        "id": "{fresh}", "kind": "tag", "target": "{tag}", "metadata_on": True, "content_on": False,
    }),
    ("PATCH", "conversations/rules/{conversation_rule}/", {"metadata_on": True, "content_on": False}),
    ("POST", "dispatch/claim/", {"claim_id": "{fresh}", "whatsapp_account": "{account}", "limit": 10}),
    ("POST", "dispatch/{queued}/report/", {
        "fence": 1, "report": "failed", "code": "blocked", "reason": "No", "sent_at": _NOW.isoformat(),
    }),
    ("POST", "dispatch/{queued}/report/", {"fence": 1, "report": "sent", "sent_at": _NOW.isoformat()}),
    ("POST", "dispatch/{unknown}/resolve/", {"outcome": "sent"}),
    ("POST", "dispatch/{late}/decide/", {"decision": "skip"}),
    ("POST", "dispatch/acks/", {
        "whatsapp_account": "{account}",
        "acks": [{
            "message_id": "{reserved}", "ack": 2, "scheme": "whatsapp_web", "participant": "5511987654321@c.us",
            "at": _NOW.isoformat(), "code": "",
        }],
    }),
    ("POST", "dispatch/messages/", {
        "id": "{fresh}", "whatsapp_account": "{account}", "contact": "{contact}", "parts": _PARTS,
        "send_within_minutes": 5, "on_late": "skip",
    }),
    ("POST", "dispatch/messages/", {
        "whatsapp_account": "{account}", "chat_jid": "5511987654321@c.us", "parts": _PARTS,
    }),
    ("POST", "media/uploads/", {"id": "{fresh}", "name": "a.txt", "size": 5, "sha256": "00" * 32}),
    ("PUT", "opt-out-words/", {"word": "basta", "kind": "out", "language": "it"}),
    ("POST", "quick-replies/", {"id": "{fresh}", **_REPLY}),
    ("PATCH", "quick-replies/{quick_reply}/", _REPLY),
    ("PUT", "quick-replies/order/", {"ids": ["{quick_reply}"]}),
    ("POST", "quick-replies/{quick_reply}/render/", {"contact": "{contact}", "language": "en"}),
    ("POST", "quick-replies/{quick_reply}/render/", {"chat_jid": "5511987654321@c.us"}),
    ("POST", "quick-replies/{quick_reply}/used/", {"id": "{fresh}"}),
    ("POST", "quick-reply-folders/", {"id": "{fresh}", "name": "New"}),
    ("PATCH", "quick-reply-folders/{reply_folder}/", {"name": "New"}),
    ("PUT", "quick-reply-folders/order/", {"ids": ["{reply_folder}"]}),
    ("POST", "scheduled-messages/", {"id": "{fresh}", **_SCHEDULE, **_SERIES}),
    ("PATCH", "scheduled-messages/{scheduled}/", _SCHEDULE),
    ("PATCH", "scheduled-messages/{series}/", {**_SCHEDULE, **_SERIES}),
    ("POST", "scheduled-messages/{series}/skip/", {"wall_time": _WALL["wall_time"]}),
    ("POST", "scheduled-messages/{series}/occurrences/", {
        "id": "{fresh}", "occurrence": _WALL["wall_time"], **_SCHEDULE,
    }),
    ("POST", "shares/", {
        "id": "{fresh}", "chat": "{group}", "messages": ["{message}"], "removed": ["{message}"],
        "expires_at": _SOON.isoformat(), "password": "open sesame", "redact_numbers": True, "include_media": False,
    }),
    ("POST", "shares/", {
        "chat": "{group}", "from": "{message}", "to": "{message}", "expires_at": _SOON.isoformat(),
    }),
    ("POST", "suppressions/", {"id": "{fresh}", "contact": "{contact}", "note": "asked"}),
    ("POST", "suppressions/", {"phone": "+5511987654321"}),
    ("POST", "suppressions/", {"jid": "5511987654321@c.us"}),
    ("PATCH", "whatsapp-accounts/{account}/budget/", _BUDGET),
    ("PUT", "whatsapp-accounts/{account}/dispatcher/", {"instance": "{instance}"}),
]  # fmt: skip

# Whole bodies that are none: what a parser, a proxy or a careless client makes of one.
NO_BODIES = (
    *(b"", b"null", b"true", b"1", b'"x"', b"[]", b"[[]]", b'[{"id": 1}]', b"{", b'{"a": }', b"NaN", b'{"name": NaN}'),
    *(b"\xff\xfe{}", b'{"name": "\\u0000"}', b'{"name": "\\ud800"}', b'{"name": "\\udfff\\ud800"}', b'{"\\u0000": 1}'),
    *(b"[" * 100_000, b'{"a":' * 5_000, b"9" * 5_000, b'{"id": ' + b"9" * 5_000 + b"}", b'{"id": 1e999}'),
)
HUGE = json.dumps({"name": "x" * 5_000_000}).encode()
# What stands in the place of a value, whatever it was: one of the second kind is put into each place, in turn.
UNHASHABLE = ([[]], {"a": {}})
WRONG = (
    *(None, True, 0, -1, 1.5, 2**31, 2**63, 10**30, 1e300, "", " ", "x", "\u202e\u200b", "🦆", "x" * 70_000, "{{"),
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-02-30", "24:00", "FREQ=SECONDLY", "@"),
    *("00000000-0000-0000-0000-000000000000", "999999999999999999@c.us", [], {}, [None], {"": None}, [2**63]),
)


def spoilt(body, seen: set) -> Iterator[tuple[str, object]]:
    """Bodies with one place replaced by something that is no plain value, and by something that is wrong in its own way.

    What stands deeper is not spoilt again where another body has the same in the same place.
    """
    for index, path in enumerate(places(body)):
        inner = (path, json.dumps(at(body, path[:-1])))
        if inner in seen and len(path) > 1:
            continue
        seen.add(inner)
        for value in (UNHASHABLE[index % 2], WRONG[(index * 7) % len(WRONG)]):
            yield f"{'.'.join(map(str, path))} = {value!r:.40}", put(body, path, value)


def places(body, path: tuple = ()) -> Iterator[tuple]:
    """The way to every value of a body, and to every list and object in it."""
    entries = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


def put(body, path: tuple, value):
    """A copy of a body with another value in a place."""
    if not path:
        return value
    copy = dict(body) if isinstance(body, dict) else list(body)
    copy[path[0]] = put(copy[path[0]], path[1:], value)
    return copy


def at(body, path: tuple):
    """What stands in a place."""
    for key in path:
        body = body[key]
    return body


# Method, path, body and status: what its row is not, or not any more, in the state for.
OUT_OF_ORDER: list[tuple[str, str, dict, int]] = [
    ("PATCH", "broadcasts/{running_broadcast}/", {"name": "New"}, 409),
    ("DELETE", "broadcasts/{running_broadcast}/", {}, 409),
    ("POST", "broadcasts/{running_broadcast}/start/", {}, 409),
    ("POST", "broadcasts/{running_broadcast}/resume/", {}, 200),
    ("POST", "broadcasts/{running_broadcast}/unschedule/", {}, 409),
    ("POST", "broadcasts/{paused_broadcast}/pause/", {}, 200),
    ("POST", "broadcasts/{paused_broadcast}/start/", {}, 409),
    ("POST", "broadcasts/{draft_broadcast}/pause/", {}, 409),
    ("POST", "broadcasts/{draft_broadcast}/resume/", {}, 409),
    ("POST", "broadcasts/{draft_broadcast}/cancel/", {}, 409),
    ("POST", "broadcasts/{draft_broadcast}/unschedule/", {}, 200),
    ("POST", "broadcasts/{scheduled_broadcast}/start/", {}, 409),
    ("POST", "broadcasts/{scheduled_broadcast}/resume/", {}, 409),
    ("POST", "dispatch/{unknown}/report/", {"fence": 1, "report": "sending"}, 409),
    ("POST", "dispatch/{queued}/report/", {"fence": 0, "report": "sent"}, 400),
    ("POST", "dispatch/{queued}/report/", {"fence": 2, "report": "sending"}, 409),
    ("POST", "dispatch/{late}/report/", {"fence": 1, "report": "sent"}, 409),
    ("POST", "dispatch/{queued}/resolve/", {"outcome": "sent"}, 409),
    ("POST", "dispatch/{late}/resolve/", {"outcome": "not_sent"}, 409),
    ("POST", "dispatch/{queued}/decide/", {"decision": "send"}, 409),
    ("POST", "dispatch/{unknown}/decide/", {"decision": "skip"}, 409),
    ("DELETE", "dispatch/{queued}/", {}, 409),
    ("DELETE", "media/{media}/", {}, 204),
    ("PUT", "media/uploads/{upload}/parts/0/", {}, 400),
    ("PUT", "media/uploads/{upload}/parts/2/", {}, 201),
    ("PUT", "media/uploads/{upload}/parts/99999999999999999999/", {}, 400),
    ("POST", "scheduled-messages/{scheduled}/skip/", {"wall_time": _WALL["wall_time"]}, 409),
    ("POST", "scheduled-messages/{scheduled}/resume/", {}, 409),
    ("POST", "scheduled-messages/{series}/resume/", {}, 200),
    ("POST", "scheduled-messages/{scheduled}/occurrences/", {"occurrence": _WALL["wall_time"], **_SCHEDULE}, 409),
    ("POST", "scheduled-messages/{series}/skip/", {"wall_time": "2020-01-01T09:00:00"}, 400),
    ("POST", "shares/{share}/revoke/", {}, 200),
    ("POST", "quick-replies/{private_reply}/used/", {"id": "{quick_reply}"}, 201),
    ("DELETE", "whatsapp-accounts/{account}/dispatcher/", {}, 409),
    ("POST", "whatsapp-accounts/{account}/dispatcher/resume/", {}, 200),
]

# Files by their names: tables that are none, tables of nothing, and what only pretends to be something.
FILES: list[tuple[str, bytes]] = [
    *((name, b"") for name in ("a.csv", "a.xlsx", "a.png")),
    *((name, b"\x00" * 5_000) for name in ("a.csv", "a.xlsx", "a.json")),
    *((name, b"\xff\xfe\x00\xd8" * 50) for name in ("a.csv", "a.json")),
    *((name, b"PK\x03\x04" + b"\x00" * 100) for name in ("a.xlsx", "a.csv", "a.docx")),
    ("a.csv", b'"' * 10_001),
    ("a.csv", b"Phone\n" + b"x" * 2_000_000),
    ("a.csv", b"phone,phone,phone\n1,2\n\n,,,,,\n"),
    ("a.csv", b"," * 20_000 + b"\n"),
    ("a.csv", b"Phone\n+5511987654321\n\xf0\x9f\xa6\n"),
    ("a.csv", "Name,Text,Shortcut,Language\nA,{{,/a b,xx-yy-zz\n\u202e,\u200b,/,\n".encode()),
    ("a.json", b'[{"name": null, "texts": 1}]'),
    ("a.json", b"[" * 5_000),
    ("a.png", b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\xff" * 20),
    ("a.gif", b"GIF89a\xff\xff\xff\xff"),
    ("a.mp4", b"\x00\x00\x00\x18ftypmp42" + b"\xff" * 20),
    ("a.ogg", b"OggS" + b"\xff" * 60),
    ("../../etc/passwd", b"x"),
    ("a\u202e.exe", b"MZ"),
    ("a" * 400 + ".txt", b"x"),
]
