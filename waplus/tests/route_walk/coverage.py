"""What the walk knows of each route: whose it is, how its path is filled, and a payload with Acme's ids.

A route that is not named here fails the walk: whoever adds one says what
somebody else's ids in it are.
"""

import fnmatch
from dataclasses import dataclass, field
from enum import Enum

from django.utils import timezone

from waplus.lib.ids import uuid7
from waplus.tests.route_walk.target import CANARY, INVITATION_TOKEN


class Kind(Enum):
    """Who a route serves."""

    PUBLIC = "anybody; shows nothing of any workspace"
    TOKEN = "who has an access token, in its workspace"
    SESSION = "who is logged in at the pages"
    STAFF = "staff with two-factor"


@dataclass(frozen=True)
class Route:
    """One route: path parameters and payload name Acme's ids as `{name}`."""

    kind: Kind
    params: dict[str, str] = field(default_factory=dict)
    payload: dict = field(default_factory=dict)
    multipart: bool = False
    # Shows Acme's name to whoever holds the secret in the path, on purpose.
    shown_by_secret: bool = False
    # Methods that do their work for Alice when asked with these ids.
    control: tuple[str, ...] = ()


def _api(control: str = "", params=None, payload=None, **kwargs) -> Route:
    return Route(Kind.TOKEN, params or {}, payload or {}, control=tuple(control.split()), **kwargs)


def _page(params=None, payload=None, **kwargs) -> Route:
    return Route(Kind.SESSION, params or {}, payload or {}, **kwargs)


_SENT = {"sent_at": "2026-01-01T00:00:00Z", "text": "stolen"}
_WALL = {"wall_time": f"{timezone.now().year + 1}-01-01T09:00:00", "time_zone": "UTC"}
_REGISTRATION = {
    "id": "{instance}",
    "secret": "s" * 43,
    "version": "2.0.0",
    "installed_at": timezone.now().isoformat(),
}

_REPLY = {
    "name": "stolen",
    "folder": "{reply_folder}",
    "texts": [{"language": "en", "parts": [{"body": "stolen"}]}],
}
_REPLY_FORM = {"name": "stolen", "language": "en", "body-0": "stolen {{name}}", "media-0": ""}
_PUSHED = {
    "change_id": "{fresh}",
    "kind": "note",
    "op": "create",
    "id": "{fresh}",
    "set": {"contact": "{contact}", "text": "stolen"},
}

ROUTES: dict[str, Route] = {
    "health-live": Route(Kind.PUBLIC),
    "health-ready": Route(Kind.PUBLIC),
    "api-schema": Route(Kind.PUBLIC),
    "api-docs": Route(Kind.PUBLIC),
    "api-errors": Route(Kind.PUBLIC),
    "landing": Route(Kind.PUBLIC),
    "no-phones": Route(Kind.PUBLIC),
    "no-phone-login": Route(Kind.PUBLIC),
    "api-token": Route(
        Kind.PUBLIC, payload={"instance_id": "{instance}", "instance_secret": "x" * 43, "workspace_id": "{workspace}"}
    ),
    "api-token-refresh": Route(
        Kind.PUBLIC, payload={"refresh_token": "wapr_x", "instance_id": "{instance}", "instance_secret": "x" * 43}
    ),
    "api-instances": Route(Kind.PUBLIC, payload=_REGISTRATION, control=("GET",)),
    "api-token-switch": _api("POST", payload={"workspace_id": "{workspace}"}),
    "api-logout": _api("POST"),
    "api-instance-this": _api("PATCH", payload={"version": "9.9.9"}),
    "api-instance": _api("GET PATCH DELETE", {"id": "{instance}"}, {"name": "stolen"}),
    "api-me": _api("GET PATCH", payload={"name": "stolen"}),
    "api-plans": _api("GET"),
    "api-workspaces": _api("GET", payload={"id": "{workspace}", "name": "stolen"}),
    "api-workspace": _api("GET PATCH", payload={"name": "stolen"}),
    "api-workspace-transfer": _api("POST", payload={"member_id": "{member}"}),
    "api-workspace-leave": _api(),
    "api-members": _api("GET"),
    "api-member": _api("GET PATCH DELETE", {"id": "{member}"}, {"role": "admin"}),
    "api-invitations": _api("GET POST", payload={"id": "{fresh}", "email": "new@example.com", "role": "admin"}),
    "api-invitation": _api("GET DELETE", {"id": "{invitation}"}),
    "api-invitation-resend": _api("POST", {"id": "{invitation}"}),
    "api-events": _api("GET"),
    "api-contacts": _api("GET POST", payload={"id": "{contact}", "name": "stolen"}),
    "api-contacts-export": _api("GET"),
    "api-bulk-actions": _api("GET POST", payload={"id": "{bulk}", "action": "bin", "ids": ["{contact}"]}),
    "api-bulk-action": _api("GET", {"id": "{bulk}"}),
    "api-bulk-action-stop": _api("POST", {"id": "{bulk}"}),
    "api-tabs": _api("GET POST", payload={"id": "{tab}", "name": "stolen", "filter": {"ids": ["{contact}"]}}),
    "api-tab-order": _api("PUT", payload={"ids": ["{tab}"]}),
    "api-tab-counts": _api("GET"),
    "api-tab": _api("GET PATCH DELETE", {"id": "{tab}"}, {"name": "stolen"}),
    "api-contact-search": _api("POST", payload={"q": CANARY, "filter": {"ids": ["{contact}"]}}),
    "api-contact": _api("GET PATCH DELETE", {"id": "{contact}"}, {"name": "stolen"}),
    "api-contact-identities": _api("POST", {"id": "{contact}"}, {"kind": "phone", "value": "+4915112345679"}),
    "api-contact-identity": _api("DELETE", {"id": "{contact}", "identity_id": "{identity}"}),
    "api-bin": _api("GET"),
    "api-binned-contact": _api("DELETE", {"id": "{binned}"}),
    "api-contact-restore": _api("POST", {"id": "{binned}"}),
    "api-contact-timeline": _api("GET", {"id": "{contact}"}),
    "api-contact-notes": _api("GET POST", {"id": "{contact}"}, {"text": "stolen"}),
    "api-contact-tag": _api("PUT DELETE", {"id": "{contact}", "tag_id": "{tag}"}),
    "api-note": _api("GET PATCH DELETE", {"id": "{note}"}, {"text": "stolen"}),
    "api-note-restore": _api("POST", {"id": "{binned_note}"}),
    "api-note-history": _api("GET", {"id": "{note}"}),
    "api-tags": _api("GET POST", payload={"id": "{tag}", "name": "stolen"}),
    "api-tag-order": _api("PUT", payload={"ids": ["{last_tag}"]}),
    "api-tag": _api("GET PATCH DELETE", {"id": "{tag}"}, {"name": "stolen"}),
    "api-stages": _api("GET POST", payload={"id": "{stage}", "name": "stolen"}),
    "api-stage-order": _api("PUT", payload={"ids": ["{last_stage}"]}),
    "api-default-stages": _api("POST"),
    "api-stage": _api("GET PATCH DELETE", {"id": "{stage}"}, {"name": "stolen"}),
    "api-custom-fields": _api("GET POST", payload={"id": "{field}", "name": "stolen", "kind": "text"}),
    "api-custom-field-order": _api("PUT", payload={"ids": ["{retired_field}"]}),
    "api-custom-field": _api("GET PATCH DELETE", {"id": "{retired_field}"}, {"name": "stolen"}),
    "api-custom-field-retire": _api("POST", {"id": "{field}"}),
    "api-custom-field-restore": _api("POST", {"id": "{retired_field}"}),
    "api-contact-merge": _api("POST", {"id": "{contact}"}, {"other": "{double}"}),
    "api-contact-merges": _api("GET", {"id": "{contact}"}),
    "api-merge-undo": _api("POST", {"id": "{merge}"}),
    "api-merge-suggestions": _api("GET"),
    "api-merge-suggestion-dismiss": _api("POST", {"id": "{suggestion}"}),
    "api-merge-suggestion-accept": _api("POST", {"id": "{suggestion}"}),
    "api-observations": _api(
        "POST", payload={"items": [{"jid": "4915112345678@c.us", "whatsapp_account": "{account}"}]}
    ),
    "api-contact-avatar": _api("DELETE", {"id": "{contact}"}),
    "api-chat-avatar": _api("DELETE", {"id": "{chat}"}),
    "api-avatar": _api("GET", {"id": "{avatar}"}),
    "api-chats": _api("GET PUT", payload={"chats": [{"jid": "4915112345678@c.us", "whatsapp_account": "{account}"}]}),
    "api-chat": _api("GET PATCH", {"id": "{chat}"}, {"own_name": "stolen"}),
    "api-chat-members": _api("GET PUT PATCH", {"id": "{group}"}, {"members": [{"jid": "4915112345670@c.us"}]}),
    "api-reminders": _api(
        "GET POST", payload={"contact": "{contact}", "assignee": "{user}", "text": "stolen", **_WALL}
    ),
    "api-reminder": _api("GET PATCH DELETE", {"id": "{reminder}"}, {"contact": "{contact}", "text": "stolen"}),
    "api-reminder-snooze": _api("POST", {"id": "{reminder}"}, {"minutes": 10}),
    "api-reminder-done": _api("POST", {"id": "{reminder}"}),
    "api-reminder-reopen": _api("POST", {"id": "{done_reminder}"}),
    "api-reminder-deliver": _api("POST", {"id": "{reminder}"}),
    "api-whatsapp-accounts": _api("GET POST", payload={"id": "{account}", "jid": "5511911112222@c.us"}),
    "api-whatsapp-account": _api("GET PATCH DELETE", {"id": "{account}"}, {"name": "stolen"}),
    "api-sync": _api("GET POST", payload={"changes": [_PUSHED]}),
    "api-auto-replies": _api(
        "GET POST",
        payload={
            "id": "{auto_reply}",
            "name": "stolen",
            "conditions": [{"kind": "any"}],
            "actions": [{"kind": "tag", "tag": "{tag}"}],
        },
    ),
    "api-auto-reply-order": _api("PUT", payload={"ids": ["{last_auto_reply}"]}),
    "api-auto-reply-setting": _api("GET PATCH", payload={"silence_minutes": 1}),
    "api-auto-reply": _api("GET PATCH DELETE", {"id": "{auto_reply}"}, {"name": "stolen"}),
    "api-auto-reply-decisions": _api("GET"),
    "api-auto-reply-decision": _api("GET", {"id": "{decision}"}),
    "api-auto-reply-chats": _api("GET"),
    "api-auto-reply-take-over": _api(
        "POST", payload={"whatsapp_account": "{account}", "chat_jid": "4915112345677@c.us"}
    ),
    "api-auto-reply-give-back": _api(
        "POST", payload={"whatsapp_account": "{account}", "chat_jid": "4915112345677@c.us"}
    ),
    "api-auto-reply-simulate": _api(
        "POST", payload={"samples": ["hello"], "contact": "{contact}", "whatsapp_account": "{account}"}
    ),
    "api-business-hours": _api("GET POST", payload={"id": "{hours}", "name": "stolen", "time_zone": "UTC"}),
    "api-business-hours-one": _api("GET PATCH DELETE", {"id": "{hours}"}, {"name": "stolen"}),
    "api-imports": _api("GET POST", payload={"id": "{import}"}, multipart=True),
    "api-import": _api("GET PATCH DELETE", {"id": "{pending_import}"}, {"default_country": "DE"}),
    "api-import-rows": _api("GET", {"id": "{import}"}),
    "api-import-preview": _api("POST", {"id": "{pending_import}"}),
    "api-import-preview-rows": _api("GET", {"id": "{previewed_import}"}),
    "api-import-start": _api("POST", {"id": "{pending_import}"}),
    "api-import-undo": _api("POST", {"id": "{import}"}),
    "api-import-result": _api("GET", {"id": "{import}"}),
    "api-conversations": _api("GET"),
    "api-conversation-needs": _api("GET"),
    "api-conversation-work": _api("GET"),
    "api-conversation-search": _api("GET"),
    "api-conversation-rules": _api(
        "GET POST", payload={"kind": "chat", "target": "{chat}", "metadata_on": True, "content_on": False}
    ),
    "api-conversation-rule": _api("GET PATCH DELETE", {"id": "{conversation_rule}"}, {"content_on": False}),
    "api-conversation-rule-preview": _api("GET", {"id": "{conversation_rule}"}),
    "api-conversation-messages": _api("GET", {"id": "{group}"}),
    "api-conversation-upload": _api(
        "POST",
        payload={
            "whatsapp_account": "{account}",
            "messages": [{"chat_jid": "4915112345677@c.us", "message_id": "false_4915112345677@c.us_3EB0AA", **_SENT}],
        },
    ),
    "api-scheduled-messages": _api(
        "GET POST",
        payload={
            "whatsapp_account": "{account}",
            "recipients": [{"contact": "{contact}"}],
            "parts": [{"body": "stolen"}],
            **_WALL,
        },
    ),
    "api-scheduled-message": _api(
        "GET PATCH DELETE",
        {"id": "{scheduled}"},
        {
            "whatsapp_account": "{account}",
            "recipients": [{"contact": "{contact}"}],
            "parts": [{"body": "stolen"}],
            **_WALL,
        },
    ),
    "api-scheduled-calendar": _api(),
    "api-scheduled-pause": _api("POST", {"id": "{series}"}),
    "api-scheduled-resume": _api("", {"id": "{series}"}),
    "api-scheduled-skip": _api("POST", {"id": "{series}"}),
    "api-scheduled-occurrences": _api("", {"id": "{series}"}, {"occurrence": "2027-01-01T09:00"}),
    "api-quick-replies": _api("GET POST", payload={"id": "{quick_reply}", **_REPLY}),
    "api-quick-reply-order": _api("PUT", payload={"ids": ["{private_reply}"]}),
    "api-quick-replies-export": _api("GET"),
    "api-quick-replies-import": _api(multipart=True),
    "api-quick-reply": _api("GET PATCH DELETE", {"id": "{quick_reply}"}, _REPLY),
    "api-quick-reply-render": _api("POST", {"id": "{quick_reply}"}, {"contact": "{contact}"}),
    "api-quick-reply-used": _api("POST", {"id": "{quick_reply}"}, {"id": "{fresh}"}),
    "api-quick-reply-folders": _api("GET POST", payload={"id": "{reply_folder}", "name": "stolen"}),
    "api-quick-reply-folder-order": _api("PUT", payload={"ids": ["{reply_folder}"]}),
    "api-quick-reply-folder": _api("GET PATCH DELETE", {"id": "{reply_folder}"}, {"name": "stolen"}),
    "api-dispatch": _api("GET"),
    "api-dispatch-claim": _api("POST", payload={"claim_id": "{fresh}", "whatsapp_account": "{account}", "limit": 10}),
    "api-dispatch-message": _api("GET", {"id": "{queued}"}),
    "api-dispatch-acks": _api(
        "POST",
        payload={
            "whatsapp_account": "{account}",
            "acks": [{"message_id": "{reserved}", "ack": 1, "scheme": "whatsapp_web"}],
        },
    ),
    "api-dispatch-messages": _api(
        "POST",
        payload={
            "whatsapp_account": "{account}",
            "contact": "{contact}",
            "parts": [{"body": "stolen", "media": "{media}"}],
        },
    ),
    "api-dispatch-recipients": _api("GET", {"id": "{queued}"}),
    "api-dispatch-warnings": _api("GET"),
    "api-dispatch-unreachable": _api("GET"),
    "api-unreachable-chat": _api("GET", {"id": "{unreachable}"}),
    "api-dispatch-report": _api("POST", {"id": "{queued}"}, {"fence": 1, "report": "sent"}),
    "api-dispatch-resolve": _api("POST", {"id": "{unknown}"}, {"outcome": "sent"}),
    "api-dispatch-decide": _api("POST", {"id": "{late}"}, {"decision": "skip"}),
    "api-dispatcher": _api("GET PUT", {"id": "{account}"}, {"instance": "{instance}"}),
    "api-dispatcher-pause": _api("POST", {"id": "{account}"}),
    "api-dispatcher-resume": _api("POST", {"id": "{account}"}),
    "api-media": _api("GET", payload={"id": "{media}"}, multipart=True),
    "api-media-file": _api("GET DELETE", {"id": "{media}"}),
    "api-media-uploads": _api("POST", payload={"id": "{fresh}", "name": "stolen", "size": 5}),
    "api-media-upload": _api("GET DELETE", {"id": "{upload}"}),
    "api-media-part": _api("", {"id": "{upload}"}),
    "api-media-complete": _api("POST", {"id": "{upload}"}),
    "api-shares": _api("GET"),
    "api-share": _api("GET", {"id": "{share}"}),
    "api-share-revoke": _api("POST", {"id": "{share}"}),
    "api-share-openings": _api("GET", {"id": "{share}"}),
    "shared": Route(Kind.PUBLIC, {"token": "{share}"}),
    "shares": _page(),
    "new-share": _page({"chat_id": "{chat}"}, {"first": "{fresh}", "last": "{fresh}", "days": "7"}),
    "revoke-share": _page({"share_id": "{share}"}),
    "api-budget": _api("GET PATCH", {"id": "{account}"}, {"max_per_day": 7}),
    "api-suppressions": _api("GET POST", payload={"id": "{fresh}", "contact": "{contact}"}),
    "api-suppression": _api("GET DELETE", {"id": "{suppression}"}, {"reason": "stolen"}),
    "api-number-lists": _api("GET", payload={"id": "{number_list}"}, multipart=True),
    "api-number-list": _api("GET", {"id": "{number_list}"}),
    "api-number-list-refusals": _api("GET", {"id": "{number_list}"}),
    "api-number-list-stop": _api("POST", {"id": "{open_number_list}"}),
    "api-opt-out-words": _api("GET PUT", payload={"word": "stolen", "kind": "out"}),
    "files": _page(payload={"id": "{media}"}),
    "delete-file": _page({"media_id": "{media}"}),
    "media": Route(Kind.PUBLIC, {"signed": "{media}"}),
    "api-broadcasts": _api("GET POST", payload={"name": "stolen", "whatsapp_account": "{account}"}),
    "api-broadcast-settings": _api("GET PATCH", payload={"members_may_start": True}),
    "api-broadcast": _api("GET PATCH DELETE", {"id": "{draft_broadcast}"}, {"name": "stolen"}),
    "api-broadcast-duplicate": _api("POST", {"id": "{draft_broadcast}"}),
    "api-broadcast-dry-run": _api("POST", {"id": "{draft_broadcast}"}),
    "api-broadcast-start": _api("POST", {"id": "{draft_broadcast}"}),
    "api-broadcast-pause": _api("POST", {"id": "{running_broadcast}"}),
    "api-broadcast-resume": _api("POST", {"id": "{paused_broadcast}"}),
    "api-broadcast-cancel": _api("POST", {"id": "{running_broadcast}"}),
    "api-broadcast-unschedule": _api("POST", {"id": "{scheduled_broadcast}"}),
    "api-broadcast-report": _api("GET", {"id": "{running_broadcast}"}),
    "api-broadcast-recipients": _api("GET", {"id": "{running_broadcast}"}),
    "api-broadcast-left-out": _api("GET", {"id": "{running_broadcast}"}),
    "api-broadcast-export": _api("GET", {"id": "{running_broadcast}"}),
    "avatar": _page({"avatar_id": "{avatar}"}),
    "do-not-contact": _page(payload={"id": "{suppression}", "phone": "+4915112345679"}),
    "number-lists": _page(payload={"id": "{number_list}"}),
    "number-list": _page({"list_id": "{number_list}"}),
    "refused-lines": _page({"list_id": "{number_list}"}),
    "stop-number-list": _page({"list_id": "{open_number_list}"}),
    "set-opt-out-word": _page(payload={"word": "stolen", "kind": "out"}),
    "remove-opt-out-word": _page(payload={"word": "stolen"}),
    "contact-consent": _page({"contact_id": "{contact}"}, {"note": "stolen"}),
    "lift-suppression": _page({"suppression_id": "{suppression}"}, {"reason": "stolen"}),
    "number-budget": _page({"account_id": "{account}"}, {"do": "resume"}),
    "home": _page(),
    "conversations": _page(payload={"chats": "account:{account}", "content": "on"}),
    "synced-chats": _page(),
    "change-conversation-rule": _page({"rule_id": "{conversation_rule}"}),
    "remove-conversation-rule": _page({"rule_id": "{conversation_rule}"}),
    "conversation": _page({"chat_id": "{group}"}),
    "switch-conversation": _page({"chat_id": "{group}"}, {"mode": "off"}),
    "devices": _page(),
    "rename-device": _page({"instance_id": "{instance}"}, {"name": "stolen"}),
    "sign-out-device": _page({"instance_id": "{instance}"}),
    "sign-out-browser": _page({"session_id": "{browser}"}),
    "sign-out-other-browsers": _page(),
    "team": _page(payload={"email": "new@example.com", "role": "admin"}),
    "leave-workspace": _page(payload={"workspace": "{workspace}"}),
    "change-role": _page({"membership_id": "{member}"}, {"role": "admin"}),
    "remove-member": _page({"membership_id": "{member}"}),
    "transfer-ownership": _page({"membership_id": "{member}"}),
    "resend-invitation": _page({"invitation_id": "{invitation}"}),
    "revoke-invitation": _page({"invitation_id": "{invitation}"}),
    "invitation": Route(Kind.PUBLIC, {"token": INVITATION_TOKEN}, shown_by_secret=True),
    "switch-workspace": _page(payload={"workspace": "{workspace}", "workspace_id": "{workspace}"}),
    "new-workspace": _page(payload={"id": "{workspace}", "name": "stolen"}),
    "workspace-settings": _page(payload={"name": "stolen", "workspace": "{workspace}", "id": "{workspace}"}),
    "plan": _page(),
    "security": _page(),
    "profile": _page(payload={"name": "stolen", "time_zone": "UTC", "language": "en"}),
    "activity": _page(),
    "auto-replies": _page(),
    "new-auto-reply": _page(payload={"name": "stolen", "c0-kind": "any", "a0-kind": "tag", "a0-tag": "{tag}"}),
    "suggest-auto-reply": _page(payload={"suggestion": "greeting"}),
    "auto-reply-decisions": _page(),
    "try-auto-replies": _page(payload={"rule": "{auto_reply}", "span": "30", "samples": "hello"}),
    "auto-reply-caution": _page(payload={"silence_minutes": "0", "workspace": "{workspace}"}),
    "business-hours": _page(payload={"name": "stolen", "time_zone": "UTC"}),
    "edit-business-hours": _page({"hours_id": "{hours}"}, {"name": "stolen", "time_zone": "UTC"}),
    "delete-business-hours": _page({"hours_id": "{hours}"}),
    "give-back-chat": _page({"chat_id": "{auto_reply_chat}"}),
    "auto-reply": _page({"rule_id": "{auto_reply}"}, {"name": "stolen", "c0-kind": "any"}),
    "switch-auto-reply": _page({"rule_id": "{auto_reply}"}, {"on": "1"}),
    "delete-auto-reply": _page({"rule_id": "{auto_reply}"}),
    "move-auto-reply": _page({"rule_id": "{last_auto_reply}", "direction": "up"}),
    "quick-replies": _page(),
    "new-quick-reply": _page(payload={"id": "{quick_reply}", "folder": "{reply_folder}", **_REPLY_FORM}),
    "preview-quick-reply": _page(payload={"sample": "{contact}", **_REPLY_FORM}),
    "import-quick-replies": _page(),
    "export-quick-replies": _page(payload={"format": "json"}),
    "quick-reply": _page({"reply_id": "{quick_reply}"}, _REPLY_FORM),
    "delete-quick-reply": _page({"reply_id": "{quick_reply}"}),
    "move-quick-reply": _page({"reply_id": "{quick_reply}", "direction": "up"}),
    "create-reply-folder": _page(payload={"name": "stolen"}),
    "rename-reply-folder": _page({"folder_id": "{reply_folder}"}, {"name": "stolen"}),
    "delete-reply-folder": _page({"folder_id": "{reply_folder}"}),
    "move-reply-folder": _page({"folder_id": "{reply_folder}", "direction": "up"}),
    "contacts": _page(),
    "export-contacts": _page(payload={"format": "csv"}),
    "change-selected": _page(payload={"contact": "{contact}", "do": "tag", "tag": "{tag}", "owner": "", "stage": ""}),
    "count-matching": _page(),
    "count-found": _page(),
    "bulk-actions": _page(),
    "start-bulk": _page(payload={"id": "{bulk}", "do": "bin", "scope": "all", "agreed": "0"}),
    "bulk-strip": _page(),
    "bulk-action": _page({"action_id": "{bulk}"}),
    "stop-bulk": _page({"action_id": "{bulk}"}),
    "new-contact": _page(payload={"id": "{contact}", "name": "stolen", "number": "+4915112345678"}),
    "contact": _page({"contact_id": "{contact}"}),
    "edit-contact": _page({"contact_id": "{contact}"}, {"name": "stolen"}),
    "add-number": _page({"contact_id": "{contact}"}, {"value": "+4915112345679"}),
    "remove-number": _page({"contact_id": "{contact}", "identity_id": "{identity}"}),
    "delete-contact": _page({"contact_id": "{contact}"}),
    "find-other": _page({"contact_id": "{contact}"}),
    "merge": _page({"contact_id": "{contact}", "other_id": "{double}"}, {"id": "{fresh}", "kept": "{contact}"}),
    "undo-merge": _page({"merge_id": "{merge}"}),
    "merge-suggestions": _page(),
    "accept-suggestion": _page({"suggestion_id": "{suggestion}"}, {"kept": "{contact}"}),
    "dismiss-suggestion": _page({"suggestion_id": "{suggestion}"}),
    "reminders": _page(
        payload={"id": "{reminder}", "text": "stolen", "wall_time": _WALL["wall_time"], "contact": "{contact}"}
    ),
    "edit-reminder": _page({"reminder_id": "{reminder}"}, {"text": "stolen", "wall_time": _WALL["wall_time"]}),
    "do-reminder": _page({"reminder_id": "{reminder}"}),
    "snooze-reminder": _page({"reminder_id": "{reminder}"}, {"until": "hour"}),
    "reopen-reminder": _page({"reminder_id": "{reminder}"}),
    "delete-reminder": _page({"reminder_id": "{reminder}"}),
    "write-note": _page({"contact_id": "{contact}"}, {"id": "{fresh}", "text": "stolen"}),
    "edit-note": _page({"contact_id": "{contact}", "note_id": "{note}"}, {"text": "stolen"}),
    "name-chat": _page({"contact_id": "{contact}", "chat_id": "{chat}"}, {"own_name": "stolen"}),
    "pin-note": _page({"contact_id": "{contact}", "note_id": "{note}"}, {"pinned": "true"}),
    "delete-note": _page({"contact_id": "{contact}", "note_id": "{note}"}),
    "scheduled": _page(),
    "new-scheduled": _page(
        payload={
            "id": "{scheduled}",
            "to": "contact:{contact}",
            "whatsapp_account": "{account}",
            "body": "stolen",
            "clock": "sender",
            "lateness_minutes": "60",
            "on_late": "skip",
            **_WALL,
        }
    ),
    "find-recipients": _page(),
    "broadcasts": _page(),
    "who-may-start": _page(payload={"members_may_start": "1", "workspace": "{workspace}"}),
    "new-broadcast": _page(payload={"name": "stolen", "whatsapp_account": "{account}", "body": "stolen"}),
    "broadcast": _page({"broadcast_id": "{running_broadcast}"}),
    "broadcast-message": _page({"broadcast_id": "{draft_broadcast}"}),
    "broadcast-audience": _page({"broadcast_id": "{draft_broadcast}"}),
    "broadcast-check": _page({"broadcast_id": "{draft_broadcast}"}),
    "broadcast-people": _page({"broadcast_id": "{running_broadcast}"}),
    "export-broadcast": _page({"broadcast_id": "{running_broadcast}"}),
    "start-broadcast": _page({"broadcast_id": "{draft_broadcast}"}),
    "pause-broadcast": _page({"broadcast_id": "{running_broadcast}"}),
    "resume-broadcast": _page({"broadcast_id": "{paused_broadcast}"}),
    "cancel-broadcast": _page({"broadcast_id": "{running_broadcast}"}),
    "unschedule-broadcast": _page({"broadcast_id": "{scheduled_broadcast}"}),
    "copy-broadcast": _page({"broadcast_id": "{draft_broadcast}"}),
    "delete-broadcast": _page({"broadcast_id": "{draft_broadcast}"}),
    "scheduled-message": _page(
        {"message_id": "{scheduled}"},
        {
            "whatsapp_account": "{account}",
            "body": "stolen",
            "clock": "sender",
            "lateness_minutes": "60",
            "on_late": "skip",
            **_WALL,
        },
    ),
    "cancel-scheduled": _page({"message_id": "{scheduled}"}),
    "pause-scheduled": _page({"message_id": "{series}"}),
    "resume-scheduled": _page({"message_id": "{series}"}),
    "skip-scheduled": _page({"message_id": "{series}"}),
    "fields": _page(payload={"id": "{field}", "name": "stolen", "kind": "text"}),
    "edit-field": _page({"field_id": "{field}"}, {"name": "stolen"}),
    "retire-field": _page({"field_id": "{field}"}),
    "restore-field": _page({"field_id": "{retired_field}"}),
    "delete-field": _page({"field_id": "{retired_field}"}),
    "move-field": _page({"field_id": "{field}", "direction": "up"}),
    "bin": _page(),
    "restore-contact": _page({"contact_id": "{binned}"}),
    "restore-selected": _page(payload={"contact": "{binned}"}),
    "purge-contact": _page({"contact_id": "{binned}"}),
    "restore-note": _page({"note_id": "{binned_note}"}),
    "timeline": _page({"contact_id": "{contact}"}),
    "set-stage": _page({"contact_id": "{contact}"}, {"chosen": ""}),
    "set-owner": _page({"contact_id": "{contact}"}, {"chosen": "{user}"}),
    "set-values": _page({"contact_id": "{contact}"}),
    "add-contact-tag": _page({"contact_id": "{contact}"}, {"name": "stolen"}),
    "remove-contact-tag": _page({"contact_id": "{contact}", "tag_id": "{tag}"}),
    "chats": _page(),
    "tabs": _page(),
    "tab-strip": _page(),
    "save-tab": _page({"target": "contacts"}, {"id": "{tab}", "name": "stolen"}),
    "edit-tab": _page({"tab_id": "{tab}"}, {"name": "stolen"}),
    "refilter-tab": _page({"tab_id": "{tab}"}),
    "delete-tab": _page({"tab_id": "{tab}"}),
    "move-tab": _page({"tab_id": "{tab}", "direction": "up"}),
    "queue": _page(),
    "queue-message": _page({"message_id": "{queued}"}),
    "decide-message": _page({"message_id": "{late}"}, {"decision": "skip"}),
    "call-off-message": _page({"message_id": "{queued}"}),
    "number": _page({"account_id": "{account}"}),
    "choose-device": _page({"account_id": "{account}"}, {"instance": "{instance}"}),
    "pause-number": _page({"account_id": "{account}"}),
    "resume-number": _page({"account_id": "{account}"}),
    "reach-again": _page({"unreachable_id": "{unreachable}"}),
    "tags": _page(payload={"id": "{tag}", "name": "stolen"}),
    "edit-tag": _page({"tag_id": "{tag}"}, {"name": "stolen"}),
    "delete-tag": _page({"tag_id": "{tag}"}),
    "move-tag": _page({"tag_id": "{tag}", "direction": "up"}),
    "stages": _page(payload={"id": "{stage}", "name": "stolen"}),
    "begin-pipeline": _page(),
    "edit-stage": _page({"stage_id": "{stage}"}, {"name": "stolen"}),
    "delete-stage": _page({"stage_id": "{stage}"}),
    "move-stage": _page({"stage_id": "{stage}", "direction": "up"}),
    "imports": _page(),
    "new-import": _page(payload={"id": "{import}"}),
    "import": _page({"batch_id": "{import}"}),
    "change-import": _page(
        {"batch_id": "{import}"}, {"target": "name", "duplicates": "merge", "tags": "{contact}", "default_country": ""}
    ),
    "start-import": _page({"batch_id": "{import}"}),
    "cancel-import": _page({"batch_id": "{import}"}),
    "undo-import": _page({"batch_id": "{import}"}),
    "import-refusals": _page({"batch_id": "{import}"}),
}

# Routes of libraries work on the person's own account; their parameters are Alice's rows.
FAMILIES: dict[str, Route] = {
    "admin:*": Route(Kind.STAFF),
    "headless:app:*": Route(
        Kind.PUBLIC, payload={"email": "alice@example.com", "password": "wrong", "id": "{authenticator}"}
    ),
    "account_*": Route(Kind.PUBLIC, payload={"email": "alice@example.com", "login": "alice@example.com"}),
    "mfa_*": _page({"pk": "{authenticator}"}, {"code": "000000"}),
    "usersessions_*": _page(payload={"session": "{browser}"}),
}

QUERY = {
    "workspace": "{workspace}",
    "workspace_id": "{workspace}",
    "contact": "{contact}",
    "whatsapp_account": "{account}",
    "id": "{contact}",
    "q": CANARY,
}


def route_of(name: str) -> Route | None:
    """The entry of a route's name, or of its family."""
    if name in ROUTES:
        return ROUTES[name]
    return next((route for pattern, route in FAMILIES.items() if fnmatch.fnmatchcase(name, pattern)), None)


def fill(value, ids: dict):
    """Put ids into a payload."""
    if isinstance(value, dict):
        return {key: fill(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, ids) for item in value]
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        return str(uuid7() if value == "{fresh}" else ids[value[1:-1]])
    return value
