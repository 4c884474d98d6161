"""WhatsApp numbers on the API."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import WhatsAppAccount
from crm.serializers.whatsapp_accounts import WhatsAppAccountChangeSerializer, WhatsAppAccountSerializer
from crm.services import whatsapp_accounts
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of


class WhatsAppAccountsView(WorkspaceView):
    """The workspace's WhatsApp numbers; the extension tells of the one that it finds logged in."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = WhatsAppAccount.objects.all()
    serializer_class = WhatsAppAccountSerializer

    @extend_schema(
        operation_id="whatsapp_accounts_list",
        tags=["WhatsApp numbers"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(WhatsAppAccountSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())

    @extend_schema(
        operation_id="whatsapp_accounts_add",
        tags=["WhatsApp numbers"],
        responses={201: WhatsAppAccountSerializer, 200: WhatsAppAccountSerializer},
    )
    def post(self, request):
        account, is_new = whatsapp_accounts.add_whatsapp_account(
            workspace=self.workspace, actor=self.actor, **self.valid()
        )
        return self.answer(account, status=201 if is_new else 200)


class WhatsAppAccountView(WorkspaceView):
    """One WhatsApp number."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.ADMIN}
    queryset = WhatsAppAccount.objects.all()
    serializer_class = WhatsAppAccountSerializer

    @extend_schema(operation_id="whatsapp_accounts_read", tags=["WhatsApp numbers"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(
        operation_id="whatsapp_accounts_update", tags=["WhatsApp numbers"], request=WhatsAppAccountChangeSerializer
    )
    def patch(self, request, id):
        return self.answer(
            whatsapp_accounts.update_whatsapp_account(
                workspace=self.workspace, account_id=id, actor=self.actor, **self.valid(WhatsAppAccountChangeSerializer)
            )
        )

    @extend_schema(
        operation_id="whatsapp_accounts_remove", tags=["WhatsApp numbers"], responses={204: OpenApiResponse()}
    )
    def delete(self, request, id):
        whatsapp_accounts.remove_whatsapp_account(workspace=self.workspace, account_id=id, actor=self.actor)
        return Response(status=204)
