"""Lists of numbers on their way to those who must not be written to: the run, what is still to be read, what was refused."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import BulkState
from crm.models.bulk import OPEN_STATES
from messaging.models.suppression import MAX_NOTE
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class NumberList(WorkspaceModel):
    """A list that somebody uploaded, and how far it is.

    Each line that was read added somebody, named somebody who was on the
    do-not-contact list by then, or was refused; the counts advance in the
    transactions that write what they count.
    """

    file_name = models.CharField(_("file"), max_length=200)
    note = models.CharField(_("note"), max_length=MAX_NOTE, blank=True)
    default_country = models.CharField(_("default country"), max_length=2, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=BulkState, default=BulkState.WAITING)
    problem = models.TextField(_("problem"), blank=True, help_text=_("Why it failed, in a sentence."))
    total = models.PositiveIntegerField(_("lines"), help_text=_("Without empty ones and a heading."))
    done = models.PositiveIntegerField(_("read"), default=0)
    added = models.PositiveIntegerField(_("added"), default=0)
    known = models.PositiveIntegerField(_("on the list already"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            models.CheckConstraint(
                condition=Q(done=F("added") + F("known") + F("refused"), done__lte=F("total")),
                name="number_list_counts_each_line_once",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state__in=OPEN_STATES), name="number_list_open"),
            models.Index(fields=["workspace", "-id"], name="number_list_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.done} of {self.total}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class NumberListChunk(WorkspaceModel):
    """Some lines of a list as they were written, until they are read: a chunk that is done is gone."""

    number_list = ScopedForeignKey(NumberList, models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    line_numbers = ArrayField(models.PositiveIntegerField())
    lines = ArrayField(models.TextField())

    class Meta(WorkspaceModel.Meta):
        # Nothing points here, nor at what was refused: the scoped id of other tenant rows would be an index for nobody.
        constraints = [
            CompositeForeignKey(field="number_list", name="number_list_chunk_list"),
            models.UniqueConstraint(fields=["number_list", "number"], name="number_list_chunk_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {len(self.lines)}"


class NumberListRefusal(WorkspaceModel):
    """A line that is no number: where it stands in the file, from 1, and why. What it says is not kept."""

    number_list = ScopedForeignKey(NumberList, models.CASCADE, related_name="refusals", db_index=False)
    line = models.PositiveIntegerField(_("line"))
    code = models.CharField(_("code"), max_length=20)
    detail = models.CharField(_("reason"), max_length=300)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            CompositeForeignKey(field="number_list", name="number_list_refusal_list"),
            models.UniqueConstraint(fields=["number_list", "line"], name="number_list_refusal_once"),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.code}"
