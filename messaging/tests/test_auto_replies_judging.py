"""Whatever comes in whatever order: the guards hold."""

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Workspace
from messaging.models import AutoReplySetting, Verdict
from messaging.services.auto_replies.compiled import CompiledRule, Rules
from messaging.services.auto_replies.judging import ChatState, Incoming, judge, settle

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
ACCOUNT = uuid.uuid4()
COOL_DOWN = timedelta(minutes=7)


def rules(cool_down: timedelta = timedelta(0)) -> Rules:
    rule = CompiledRule(
        id=uuid.uuid4(),
        name="Any",
        accounts=frozenset(),
        kinds=frozenset({"person"}),
        texts=(),
        takes_any=True,
        hours=(),
        first_in_days=None,
        is_first=False,
        outbound_hours=None,
        filters=(),
        actions=(),
        replies=1,
        stops=True,
        cool_down=cool_down,
        delay=timedelta(0),
        author_id=None,
    )
    return Rules(rules=[rule])


events = st.lists(
    st.tuples(
        st.integers(0, 1800), st.sampled_from(["says", "says", "says", "human", "take", "give"]), st.integers(0, 3)
    ),
    max_size=60,
)


def play(story, made: Rules, setting: AutoReplySetting) -> list[tuple[datetime, Verdict]]:
    """Judge a story of (seconds since the last, what happens, which text) one after the other."""
    state, now, told, counted = ChatState(), START, [], []
    for seconds, what, text in story:
        now += timedelta(seconds=seconds)
        if what == "human":
            state.human_at = now
        elif what in ("take", "give"):
            state.taken_over = what == "take"
        else:
            sent = sum(1 for at in counted if now - at < timedelta(hours=1))
            message = Incoming(ACCOUNT, "person", "chat", f"t{text}", f"t{text}", bytes([text]), now)
            taken, human, muted = state.taken_over, state.human_at, state.muted_until
            judged = judge(
                made, setting, message, state, now=now, sent_in_hour=sent, matches={}, is_suppressed=lambda: False
            )
            settle(state, judged, now, {rule.id: True for rule in judged.follow})
            if judged.verdict == Verdict.ANSWERED:
                counted.append(now)
                assert not taken
                assert human is None or now - human >= timedelta(minutes=setting.silence_minutes)
                assert muted is None or now >= muted
            told.append((now, judged.verdict))
    return told


@given(events)
def test_answers_within_all_bounds(story):
    setting = AutoReplySetting(
        workspace=Workspace(), silence_minutes=5, chat_per_hour=4, number_per_hour=6, loop_exchanges=3, loop_minutes=20
    )
    told = play(story, rules(COOL_DOWN), setting)
    answered = [at for at, verdict in told if verdict == Verdict.ANSWERED]
    for index, at in enumerate(answered):
        assert index == 0 or at - answered[index - 1] >= COOL_DOWN
        assert sum(1 for other in answered if timedelta(0) <= at - other < timedelta(hours=1)) <= 4


@given(st.integers(0, 5), st.integers(2, 8))
def test_stops_robot_whatever_its_rhythm(seconds, exchanges):
    """Somebody who answers everything at once gets a handful of answers, and then none for a day."""
    setting = AutoReplySetting(workspace=Workspace(), loop_exchanges=exchanges)
    told = play([(seconds, "says", turn % 4) for turn in range(50)], rules(), setting)
    verdicts = [verdict for _, verdict in told]
    assert verdicts.count(Verdict.ANSWERED) <= exchanges
    assert verdicts.count(Verdict.LOOP) == 1
    assert set(verdicts[verdicts.index(Verdict.LOOP) + 1 :]) <= {Verdict.MUTED}


@given(events)
def test_says_the_same_of_the_same(story):
    setting = AutoReplySetting(workspace=Workspace())
    made = rules(COOL_DOWN)
    assert play(story, made, setting) == play(story, made, setting)
