"""Any order of the same uploads ends in the same rows: by hand-made news of few messages, in orders that chance makes."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import actors
from messaging.models import ConversationMessage, ConversationSync
from messaging.services.conversations.ingest import take_messages
from messaging.tests.seen import LID, PERSON, at, chat, end_state, key, message, switch
from messaging.tests.test_conversation_upload import person

pytestmark = pytest.mark.django_db

IDS = st.sampled_from(["3EB0A1", "3EB0A2"])
JIDS = st.sampled_from([PERSON, LID])
SECONDS = st.integers(0, 4)
TEXTS = st.sampled_from(["", "one", "two\tx"])
MINE = st.booleans()


@st.composite
def news(draw) -> tuple[str, dict]:
    """One item and the list that it stands in. What a message is follows from its id, as in WhatsApp."""
    name = draw(st.sampled_from(["messages", "messages", "edits", "revocations", "reactions"]))
    id, jid, mine = draw(IDS), draw(JIDS), draw(MINE)
    base = key(id, jid, from_me=mine)
    if name == "messages":
        values = {"from_me": mine, "live": draw(MINE)}
        values |= draw(
            st.sampled_from(
                [
                    *({"type": "ciphertext"}, {"type": "image", "text": "caption", "media": {"size": 5}}),
                    *({"type": "chat", "text": "plain", "quoted_id": "3EB0FF"}, {"type": "revoked"}, {"ack": 3}),
                    {"type": "chat", "text": "edited", "edited_at": at(2)},
                ]
            )
        )
        return name, message(id, chat_jid=jid, seconds=1, **values)
    if name == "edits":
        return name, {**base, "text": draw(TEXTS), "edited_at": at(draw(SECONDS))}
    if name == "revocations":
        return name, {**base, "revoked_at": at(draw(SECONDS))}
    reactor = draw(st.sampled_from([{"reactor": "me"}, {}]))
    return name, {**base, **reactor, "emoji": draw(st.sampled_from(["", "👍", "🙏"])), "reacted_at": at(draw(SECONDS))}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(items=st.lists(news(), min_size=1, max_size=8), data=st.data())
def test_end_in_the_same_rows_in_any_order(alice, acme, number, items, data):
    orders = [items, data.draw(st.permutations(items)), data.draw(st.permutations([*items, *items[:2]]))]
    ends = []
    for order in orders:
        with transaction.atomic():
            contact = person(acme, PERSON, LID)
            chat(number, PERSON, contact), chat(number, LID, contact)
            switch(number)
            size = data.draw(st.integers(1, 4))
            for start in range(0, len(order), size):
                lists: dict[str, list] = {}
                for name, item in order[start : start + size]:
                    lists.setdefault(name, []).append(item)
                take_messages(workspace=acme, actor=actors.person(alice), account_id=number.pk, lists=lists)
            ends.append(end_state())
            row = ConversationSync.objects.get(chat__jid=PERSON)
            assert row.message_count == ConversationMessage.objects.filter(sent_at__isnull=False).count()
            assert row.content_count == ConversationMessage.objects.filter(has_content=True).count()
            transaction.set_rollback(True)
    assert ends[0] == ends[1] == ends[2]
