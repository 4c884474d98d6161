"""WhatsApp ids: every spelling of one id is one id, and a LID is no number."""

import pytest

from waplus.lib.jids import InvalidJid, JidKind, parse_jid

FORMS = [
    ("4915112345678@c.us", JidKind.PERSON, "4915112345678@c.us"),
    ("4915112345678@s.whatsapp.net", JidKind.PERSON, "4915112345678@c.us"),
    ("4915112345678:12@s.whatsapp.net", JidKind.PERSON, "4915112345678@c.us"),
    ("4915112345678:0@c.us", JidKind.PERSON, "4915112345678@c.us"),
    ("4915112345678_1:12@s.whatsapp.net", JidKind.PERSON, "4915112345678@c.us"),
    ("  4915112345678@C.US\n", JidKind.PERSON, "4915112345678@c.us"),
    ("157163732254124@lid", JidKind.LID, "157163732254124@lid"),
    ("157163732254124:3@lid", JidKind.LID, "157163732254124@lid"),
    ("120363041234567890@g.us", JidKind.GROUP, "120363041234567890@g.us"),
    ("4915112345678-1612345678@g.us", JidKind.GROUP, "4915112345678-1612345678@g.us"),
    ("120363041234567890@newsletter", JidKind.CHANNEL, "120363041234567890@newsletter"),
    ("status@broadcast", JidKind.BROADCAST, "status@broadcast"),
    ("1612345678@broadcast", JidKind.BROADCAST, "1612345678@broadcast"),
]


@pytest.mark.parametrize(("text", "kind", "canonical"), FORMS)
def test_reads_every_spelling(text, kind, canonical):
    jid = parse_jid(text)
    assert (jid.kind, str(jid)) == (kind, canonical)
    assert parse_jid(str(jid)) == jid
    assert jid.is_person == (kind in (JidKind.PERSON, JidKind.LID))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "@c.us",
        "4915112345678",
        "4915112345678@",
        "4915112345678@c.us.evil.example",
        "4915112345678@c.us@lid",
        "4915112345678@whatsapp.net",
        "+4915112345678@c.us",
        "49 151@c.us",
        "1234@c.us",
        "1" * 21 + "@c.us",
        "abc@c.us",
        "١٢٣٤٥٦٧@c.us",
        "12345\n@c.us",
        "12345\x00@c.us",
        ":12@c.us",
        "12345:x@c.us",
        "12345:1:2@c.us",
        "status@c.us",
        "12345:1@g.us",
        "12345-@g.us",
        "undefined@lid",
        "null",
    ],
)
def test_refuses_everything_else_with_a_sentence(text):
    with pytest.raises(InvalidJid) as refusal:
        parse_jid(text)
    assert str(refusal.value).endswith(".")
