"""Refusals: what a service raises when it will not do what was asked.

Each kind of refusal has a stable code; clients may branch on it, so a code
never changes its meaning. The page /api/v1/errors/ lists them all.
"""

from dataclasses import dataclass

# Other people's ids are unknown ids, so one sentence tells of both.
UNKNOWN_ID = "Nothing with this id is visible to you."


@dataclass(frozen=True)
class Code:
    """A stable code: the HTTP status that it answers with, its short title, and what to do about it."""

    status: int
    title: str
    advice: str


CODES: dict[str, Code] = {
    "invalid": Code(
        400, "Some of the input is not valid", "Look at `errors`: each names a field, a code and a sentence."
    ),
    "malformed": Code(400, "The request cannot be read", "Send well-formed JSON in UTF-8 with no NUL character."),
    "invalid_cursor": Code(
        400, "The cursor is not one of ours", "Start again without `cursor`, or use the one of the last page."
    ),
    "invalid_id": Code(400, "The id is not a UUIDv7", "Make ids as UUIDv7, or leave the id out."),
    "not_authenticated": Code(401, "Nobody is logged in", "Send `Authorization: Bearer <access token>`."),
    "token_invalid": Code(401, "The token is not valid", "Exchange the refresh token; if that fails, log in again."),
    "token_expired": Code(401, "The token has expired", "Exchange the refresh token for a new pair."),
    "token_reused": Code(
        401, "The refresh token was used before", "The instance was signed out for safety: log in again."
    ),
    "session_ended": Code(401, "This device was signed out", "Log in again on this device."),
    "instance_unknown": Code(
        401, "This extension instance is not known", "Register the instance, and send its own secret."
    ),
    "email_not_verified": Code(
        403, "The e-mail address is not verified", "Open the message that was sent, or ask for a new one."
    ),
    "forbidden": Code(403, "The role is not enough", "Ask an admin or the owner of the workspace."),
    "origin_not_allowed": Code(
        403, "The origin is not allowed", "Only the WAPlus extension may exchange the identity cookie."
    ),
    "plan_limit_reached": Code(
        403, "The plan's limit is reached", "Delete something or change the plan; `limit` and `used` say how far."
    ),
    "not_a_member": Code(403, "No workspace to work in", "Create a workspace or accept an invitation."),
    "not_found": Code(404, "There is no such thing here", "Check the id: other people's ids are unknown, too."),
    "method_not_allowed": Code(405, "The method is not allowed here", "The `Allow` header lists the methods."),
    "conflict": Code(409, "The state has changed meanwhile", "Read the object again and decide anew."),
    "id_taken": Code(409, "The id is taken", "Make a new id."),
    "already_delivered": Code(409, "Another device shows it", "Nothing to do: do not show it here."),
    "already_member": Code(409, "This person is a member already", "Nothing to do."),
    "owner_must_stay": Code(409, "A workspace needs its owner", "Transfer the ownership first."),
    "name_taken": Code(409, "The name is taken", "Choose another name; `id` says whose it is."),
    "limit_reached": Code(409, "There are as many as there can be", "Delete one first; `limit` says how many fit."),
    "in_use": Code(409, "Something else goes by it", "Change that first; `id` says what it is."),
    "number_in_use": Code(409, "The number belongs to another contact", "Open that contact, or merge the two."),
    "number_taken": Code(
        409,
        "Another device sends from this number",
        "Do not send. Claim again later, or let a person choose this device.",
    ),
    "too_early": Code(409, "It is not this message's time yet", "Wait `wait_ms` milliseconds and ask again."),
    "stale_fence": Code(409, "The lease was lost", "Somebody else holds the message now: do not send it."),
    "wrong_state": Code(
        409, "Not possible in the present state", "Read the object again: its `state` says where it is."
    ),
    "media_in_use": Code(409, "Something carries this file", "Take it out of there first; the last use deletes it."),
    "upload_incomplete": Code(409, "Parts are missing", "Send the missing parts; `received` says how much is here."),
    "idempotency_conflict": Code(
        409, "The key was used for another request", "Use a new `Idempotency-Key` for a new request."
    ),
    "depends_on_refused": Code(
        409,
        "It builds on a change that was refused",
        "Mend the change that makes the row, and send both under new ids.",
    ),
    "online_only": Code(
        409, "This is not done offline", "Send the request that the sentence names, once the device is online."
    ),
    "sync_start_over": Code(
        410,
        "Synchronisation has to start over",
        "Pull again without a token; `reason` says why. Keep what waits to be pushed.",
    ),
    "precondition_failed": Code(412, "Somebody changed it first", "Read it again and send its new ETag in `If-Match`."),
    "too_large": Code(413, "The body is too large", "Send less at once."),
    "unsupported_media_type": Code(
        415, "The content type is not supported", "Send `application/json` (or a form with a file, for imports)."
    ),
    "file_unreadable": Code(422, "The file cannot be read", "The sentence says what is wrong with it."),
    "image_unreadable": Code(
        422, "The file cannot be read as a photo", "Send a JPEG, PNG or WebP of at most 16 million pixels."
    ),
    "media_type_refused": Code(
        422,
        "This kind of file is not taken",
        "The sentence says what is wrong with it; docs/media.md lists what is taken.",
    ),
    "checksum_mismatch": Code(
        422,
        "The file is not the one that was announced",
        "Compare the parts with `sha256`, and send the wrong ones again.",
    ),
    "extension_too_old": Code(426, "This version of the extension is too old", "Update the extension."),
    "rate_limited": Code(429, "Too many requests", "Wait as many seconds as `Retry-After` says."),
    "server_error": Code(500, "Something broke on our side", "Try again; tell support the `request_id` if it stays."),
    "unavailable": Code(503, "Not ready", "Try again in a moment."),
}


@dataclass(frozen=True)
class FieldError:
    """One field that is wrong: dotted path from the root of the payload, stable code, plain sentence."""

    field: str
    code: str
    detail: str


class Refused(Exception):
    """A service's refusal. `code` is a key of `CODES`; `detail` a plain sentence; `extra` more JSON members."""

    def __init__(self, code: str, detail: str = "", *, field: str = "", extra: dict | None = None):
        self.code = code
        self.detail = detail or CODES[code].title + "."
        self.fields = [FieldError(field, code, self.detail)] if field else []
        self.extra = extra or {}
        super().__init__(f"{code}: {self.detail}")

    @property
    def status(self) -> int:
        return CODES[self.code].status


class Invalid(Refused):
    """Input that a service refuses for one field."""

    def __init__(self, field: str, code: str, detail: str):
        super().__init__("invalid", detail)
        self.fields = [FieldError(field, code, detail)]


class NotFound(Refused):
    """Missing, or somebody else's: the two answer identically."""

    def __init__(self):
        super().__init__("not_found", UNKNOWN_ID)
