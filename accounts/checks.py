"""Scoping is checked at boot: a tenant row points to another one only by a composite foreign key."""

from django.apps import apps
from django.core.checks import Error, Tags, register

from accounts.scoping import WorkspaceModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


@register(Tags.models)
def check_scoped_references(app_configs, **kwargs) -> list[Error]:
    """Every foreign key between two `WorkspaceModel`s is a `ScopedForeignKey` with its `CompositeForeignKey`."""
    errors = []
    for model in apps.get_models():
        if not issubclass(model, WorkspaceModel):
            continue
        guarded = {c.field for c in model._meta.constraints if isinstance(c, CompositeForeignKey)}
        for field in model._meta.local_fields:
            related = field.related_model
            if not (isinstance(related, type) and issubclass(related, WorkspaceModel)):
                continue
            if not isinstance(field, ScopedForeignKey) or field.name not in guarded:
                errors.append(
                    Error(
                        f"{model._meta.label}.{field.name} could point into another workspace.",
                        hint="Make it a ScopedForeignKey and add a CompositeForeignKey constraint for it.",
                        id="accounts.E001",
                    )
                )
    return errors
