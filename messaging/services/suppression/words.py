"""The words by which people stop messages, or allow them again.

A message counts if it is the word and nothing else; its case, accents,
punctuation and emoji do not matter. The defaults hold in every workspace
without a row; rows add words, or take a default's meaning away.
"""

import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from messaging.models import (
    ConsentKind,
    ConsentMeans,
    ConsentRecord,
    OptOutWord,
    QueuedMessage,
    Suppression,
    SuppressionSource,
    WordKind,
)
from messaging.models.suppression import MAX_WORD
from messaging.services.observed import ObservedMessage
from messaging.services.suppression.acts import lift, suppress, suppressions_of
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.jids import InvalidJid, parse_jid
from waplus.lib.locks import take_turns
from waplus.lib.text import fold, strip_invisible

OUT, IN = WordKind.OUT, WordKind.IN
# By language, as people write them; folded when they are compared.
DEFAULTS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {OUT: ("stop", "stop all", "unsubscribe", "opt out", "remove me"), IN: ("start", "unstop", "subscribe")},
    "pt": {
        OUT: ("sair", "parar", "pare", "cancelar", "descadastrar", "remover contato"),
        IN: ("voltar", "quero receber"),
    },
    "es": {OUT: ("baja", "darme de baja", "parar", "detener", "cancelar"), IN: ("darme de alta",)},
    "de": {OUT: ("stopp", "abmelden", "austragen", "abbestellen"), IN: ("anmelden",)},
    "fr": {OUT: ("arret", "arrêter", "désinscrire", "se désabonner"), IN: ("reprendre", "s'abonner")},
    "it": {OUT: ("cancella", "cancellami", "disiscrivi", "basta"), IN: ("iscrivimi",)},
    "nl": {OUT: ("afmelden", "uitschrijven"), IN: ("aanmelden",)},
    "pl": {OUT: ("wypisz", "rezygnuje"), IN: ("zapisz",)},
    "tr": {OUT: ("iptal", "abonelikten çık"), IN: ("abone ol",)},
    "ru": {OUT: ("стоп", "отписаться", "отписка"), IN: ("подписаться",)},
    "id": {OUT: ("berhenti", "keluar"), IN: ("mulai",)},
    "hi": {OUT: ("बंद", "रोकें"), IN: ("शुरू",)},
    "ar": {OUT: ("توقف", "إلغاء", "إلغاء الاشتراك"), IN: ("اشتراك",)},
}
MAX_WORDS = 200
# After so long without a message from the server, a number need not be listened to for opt-outs.
LISTENING = timedelta(days=90)


def folded_word(text: str) -> str:
    """A word as it is compared: folded, everything but letters, digits and what belongs to them left out."""
    kept = (c if unicodedata.category(c)[0] in "LNM" else " " for c in strip_invisible(text))
    return fold("".join(kept).replace("\ufe0f", " "))


def _defaults() -> dict[str, tuple[str, str]]:
    return {
        folded_word(word): (kind, language)
        for language, kinds in DEFAULTS.items()
        for kind, words in kinds.items()
        for word in words
    }


DEFAULT_WORDS = _defaults()


def words_of(workspace: Workspace) -> dict[str, tuple[str, str]]:
    """What counts in a workspace: `{word: (kind, language)}`, by word."""
    words = dict(DEFAULT_WORDS)
    for word, kind, language in OptOutWord.objects.for_workspace(workspace).values_list("word", "kind", "language"):
        words.pop(word, None)
        if kind != WordKind.NONE:
            words[word] = (kind, language)
    return dict(sorted(words.items()))


@transaction.atomic
def set_word(
    *, workspace: Workspace, actor: Actor, word: str, kind: WordKind, language: str = "", id: UUID | None = None
) -> OptOutWord:
    """Give a word a meaning in the workspace, or none (`WordKind.NONE`); setting it again changes its meaning."""
    text = folded_word(word)
    if not text or len(text) > MAX_WORD:
        raise Invalid("word", "invalid", f"Write a word of letters, {MAX_WORD} at most.")
    take_turns("opt_out_words", workspace.pk)
    words = OptOutWord.objects.for_workspace(workspace)
    row = words.filter(word=text).first()
    if row is None and words.count() >= MAX_WORDS:
        raise Refused("limit_reached", f"There are {MAX_WORDS} words already.", extra={"limit": MAX_WORDS})
    if row is None and id is not None and OptOutWord.objects.filter(pk=id).exists():
        raise Refused("id_taken", field="id")
    row = row or OptOutWord(id=id or uuid7(), workspace=workspace, word=text, created_by_id=actor.user_id)
    if not row._state.adding and (row.kind, row.language) == (kind, language):
        return row
    row.kind, row.language = kind, language
    row.save()
    record_event(kind="opt_out_word.changed", actor=actor, workspace=workspace, obj=row, changed=["kind"])
    return row


@transaction.atomic
def remove_word(*, workspace: Workspace, actor: Actor, word: str) -> None:
    """Let a word mean nothing any more. A default keeps a row that says so; a word of the workspace goes."""
    text = folded_word(word)
    if text not in words_of(workspace):
        raise NotFound
    if text in DEFAULT_WORDS:
        set_word(workspace=workspace, actor=actor, word=text, kind=WordKind.NONE)
        return
    row = OptOutWord.objects.for_workspace(workspace).get(word=text)
    record_event(kind="opt_out_word.changed", actor=actor, workspace=workspace, obj=row, changed=["kind"])
    row.delete()


def needs_text(workspace: Workspace, whatsapp_account_id: UUID) -> bool:
    """Whether an opt-out may come: the number has been sent from within 90 days."""
    sent = QueuedMessage.objects.for_workspace(workspace).filter(
        whatsapp_account=whatsapp_account_id, sending_at__gt=timezone.now() - LISTENING
    )
    return sent.exists()


def observe(workspace: Workspace, actor: Actor, messages: Sequence[ObservedMessage]) -> None:
    """Act on opt-out and opt-in words in live messages of persons; of the text nothing but the word is kept."""
    said = [(one, folded_word(one.text)) for one in messages if _may_be_word(one)]
    if not said:
        return
    words = words_of(workspace)
    for one, text in said:
        if text in words:
            (_stop if words[text][0] == WordKind.OUT else _allow)(workspace, actor, one, text)


def _may_be_word(one: ObservedMessage) -> bool:
    if one.from_me or not one.is_live or not one.text or len(one.text) > 2 * MAX_WORD:
        return False
    try:
        return parse_jid(one.chat_jid).is_person
    except InvalidJid:
        return False


def _stop(workspace: Workspace, actor: Actor, one: ObservedMessage, word: str) -> None:
    suppress(
        workspace=workspace,
        actor=actor,
        source=SuppressionSource.OPT_OUT_WORD,
        contact=one.contact_id,
        jid=one.chat_jid,
        word=word,
        account_id=one.whatsapp_account_id,
    )


def _allow(workspace: Workspace, actor: Actor, one: ObservedMessage, word: str) -> None:
    """An opt-in word takes an opt-out word back. What a member or a list decided stays; that they agreed is noted."""
    for suppression in suppressions_of(workspace=workspace, contact=one.contact_id, jid=one.chat_jid):
        if suppression.source == SuppressionSource.OPT_OUT_WORD:
            lift(
                workspace=workspace,
                actor=actor,
                suppression_id=suppression.pk,
                means=ConsentMeans.WORD,
                word=word,
                account_id=one.whatsapp_account_id,
            )
            continue
        _note_consent(workspace, suppression, one, word)


def _note_consent(workspace: Workspace, suppression: Suppression, one: ObservedMessage, word: str) -> None:
    ConsentRecord.objects.get_or_create(
        workspace=workspace,
        suppression=suppression,
        kind=ConsentKind.GIVEN,
        means=ConsentMeans.WORD,
        word=word,
        defaults={
            "contact_id": suppression.contact_id,
            "whatsapp_account_id": one.whatsapp_account_id,
            "recorded_at": timezone.now(),
        },
    )
