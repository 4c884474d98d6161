"""What a column of a file can be, in words, as the groups of a select."""

from django.utils.translation import gettext as _

from accounts.models import Workspace
from crm.models import CustomField
from crm.services.imports.mapping import titles as t


def target_choices(workspace: Workspace) -> list[tuple[str, list[tuple[str, str]]]]:
    """Groups of (target, label); the workspace's own fields are the last of them."""
    groups = [
        ("", [(t.IGNORE, _("Leave out"))]),
        (
            _("Name"),
            [
                (t.NAME, _("Whole name")),
                (t.FIRST, _("First name")),
                (t.MIDDLE, _("Middle name")),
                (t.LAST, _("Last name")),
                (t.NICKNAME, _("Nickname")),
            ],
        ),
        (
            _("Contact"),
            [
                (t.PHONE, _("Phone number")),
                (t.WHATSAPP, _("WhatsApp ID")),
                (t.EMAIL, _("E-mail address")),
                (t.COMPANY, _("Company")),
            ],
        ),
        (_("Around it"), [(t.TAGS, _("Tags")), (t.STAGE, _("Stage")), (t.NOTE, _("Note"))]),
    ]
    fields = CustomField.objects.for_workspace(workspace).filter(retired_at=None).order_by("position", "id")
    if own := [(f"{t.FIELD}{field.pk}", field.name) for field in fields]:
        groups.append((_("Your fields"), own))
    return groups
