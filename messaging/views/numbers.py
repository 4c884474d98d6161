"""The lease on a WhatsApp number: which device sends from it."""

from drf_spectacular.utils import extend_schema

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.services.whatsapp_accounts import account_of
from messaging.models import Dispatcher
from messaging.serializers.dispatch import DispatcherChoiceSerializer, DispatcherSerializer
from messaging.services import dispatch


class DispatcherView(WorkspaceView):
    """Which device sends from a number: look, choose another one, or give the number up."""

    roles = {"GET": Role.MEMBER, "PUT": Role.MEMBER, "DELETE": Role.MEMBER}
    queryset = Dispatcher.objects.all()
    serializer_class = DispatcherSerializer

    @extend_schema(operation_id="dispatcher_read", tags=["dispatch"])
    def get(self, request, id):
        return self.answer(dispatch.dispatcher_of(workspace=self.workspace, account_id=id))

    @extend_schema(operation_id="dispatcher_choose", tags=["dispatch"], request=DispatcherChoiceSerializer)
    def put(self, request, id):
        account_of(workspace=self.workspace, account_id=id)
        dispatcher = dispatch.choose_dispatcher(
            workspace=self.workspace,
            account_id=id,
            instance_id=self.valid(DispatcherChoiceSerializer)["instance"],
            user=request.user,
            actor=self.actor,
        )
        return self.answer(dispatcher)

    @extend_schema(operation_id="dispatcher_give_up", tags=["dispatch"], responses={200: DispatcherSerializer})
    def delete(self, request, id):
        dispatcher = dispatch.give_up_number(
            workspace=self.workspace, account_id=id, instance=request.auth.instance, actor=self.actor
        )
        return self.answer(dispatcher)


class PauseView(WorkspaceView):
    """Stop handing out messages of a number."""

    roles = {"POST": Role.MEMBER}
    queryset = Dispatcher.objects.all()
    serializer_class = DispatcherSerializer

    @extend_schema(operation_id="dispatcher_pause", tags=["dispatch"], request=None)
    def post(self, request, id):
        dispatcher = dispatch.pause_number(workspace=self.workspace, account_id=id, user=request.user, actor=self.actor)
        return self.answer(dispatcher)


class ResumeView(WorkspaceView):
    """Hand out messages of a number again."""

    roles = {"POST": Role.MEMBER}
    queryset = Dispatcher.objects.all()
    serializer_class = DispatcherSerializer

    @extend_schema(operation_id="dispatcher_resume", tags=["dispatch"], request=None)
    def post(self, request, id):
        dispatcher = dispatch.resume_number(
            workspace=self.workspace, account_id=id, user=request.user, actor=self.actor
        )
        return self.answer(dispatcher)
