"""Extension instances on the API."""

from django.db.models import Exists, OuterRef
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import ExtensionInstance, Role
from accounts.permissions import ANYONE
from accounts.serializers import (
    EnvironmentSerializer,
    InstanceSerializer,
    RegisteredInstanceSerializer,
    RegistrationSerializer,
    RenameSerializer,
)
from accounts.services import instances
from accounts.throttles import PlanThrottle, RegistrationThrottle
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of


def with_state(queryset, user):
    """Instances with `alive`: whether a session of the person's lives on it."""
    return queryset.annotate(alive=Exists(instances.living_sessions(user).filter(instance=OuterRef("pk"))))


class OwnInstancesView(WorkspaceView):
    """Instances of the person who asks."""

    queryset = ExtensionInstance.objects.all()
    serializer_class = InstanceSerializer

    def get_queryset(self):
        return with_state(ExtensionInstance.objects.filter(user=self.request.user), self.request.user)


class InstancesView(OwnInstancesView):
    """Register an installation (no login needed); list one's own devices."""

    roles = {"GET": Role.MEMBER, "POST": ANYONE}

    def get_throttles(self):
        return [RegistrationThrottle()] if self.request.method == "POST" else [PlanThrottle()]

    @extend_schema(
        operation_id="instances_list",
        tags=["devices"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(InstanceSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())

    @extend_schema(
        operation_id="instances_register",
        tags=["login"],
        request=RegistrationSerializer,
        responses={201: RegisteredInstanceSerializer, 200: RegisteredInstanceSerializer},
        auth=[{}],
    )
    def post(self, request):
        instance, is_new = instances.register_instance(**self.valid(RegistrationSerializer))
        return Response(RegisteredInstanceSerializer(instance).data, status=201 if is_new else 200)


class ThisInstanceView(WorkspaceView):
    """The instance that asks tells what its browser and WhatsApp Web have become."""

    roles = {"PATCH": Role.MEMBER}
    serializer_class = EnvironmentSerializer

    @extend_schema(operation_id="instances_update_this", tags=["devices"], responses={200: InstanceSerializer})
    def patch(self, request):
        payload = self.valid(partial=True)
        instances.update_environment(instance=request.auth.instance, actor=self.actor, **payload)
        instance = with_state(ExtensionInstance.objects.all(), request.user).get(pk=request.auth.instance.pk)
        return Response(InstanceSerializer(instance, context=self.get_serializer_context()).data)


class InstanceView(OwnInstancesView):
    """One device of one's own: look, rename, sign out."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}

    @extend_schema(operation_id="instances_read", tags=["devices"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="instances_rename", tags=["devices"], request=RenameSerializer)
    def patch(self, request, id):
        instances.rename_instance(user=request.user, instance_id=id, actor=self.actor, **self.valid(RenameSerializer))
        return self.answer(self.get_object())

    @extend_schema(operation_id="instances_revoke", tags=["devices"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        instances.revoke_instance(user=request.user, instance_id=id, actor=self.actor)
        return Response(status=204)
