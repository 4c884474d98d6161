"""The budget of a WhatsApp number on the API."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import WhatsAppAccount
from messaging.models import SendingBudget
from messaging.serializers.budget import BudgetChangeSerializer, BudgetSerializer, told
from messaging.services.budget import update_budget
from messaging.services.budget.forecast import forecast
from messaging.services.budget.state import ensure_budget


class BudgetView(WorkspaceView):
    """What a number may send, what it has sent, what waits, and when that will go."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.ADMIN}
    queryset = WhatsAppAccount.objects.all()
    serializer_class = BudgetSerializer

    def _told(self, account: WhatsAppAccount, settings: SendingBudget) -> dict:
        return told(settings, forecast(account))

    @extend_schema(operation_id="budget_read", tags=["dispatch"], responses={200: BudgetSerializer})
    def get(self, request, id):
        account = self.get_object()
        return self.answer(self._told(account, ensure_budget(account, timezone.now())))

    @extend_schema(
        operation_id="budget_update",
        tags=["dispatch"],
        request=BudgetChangeSerializer,
        responses={200: BudgetSerializer},
    )
    def patch(self, request, id):
        account = self.get_object()
        settings = update_budget(
            workspace=self.workspace,
            actor=self.actor,
            account_id=account.pk,
            **self.valid(BudgetChangeSerializer, partial=True),
        )
        return self.answer(self._told(account, settings))
