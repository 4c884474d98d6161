"""Custom fields on the API. Values stand in the contact's `fields`."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import CustomField
from crm.serializers.records import CustomFieldChangeSerializer, CustomFieldSerializer, OrderSerializer
from crm.services import custom_fields
from crm.views.whole_lists import whole_list
from waplus.lib.api.schema import page_of

FIELD_PAGE = page_of(CustomFieldSerializer)


class CustomFieldsView(WorkspaceView):
    """The workspace's custom fields in their order, retired ones too, all at once; make one."""

    roles = {"GET": Role.MEMBER, "POST": Role.ADMIN}
    queryset = CustomField.objects.all()
    serializer_class = CustomFieldSerializer

    @extend_schema(operation_id="custom_fields_list", tags=["custom fields"], responses={200: FIELD_PAGE})
    def get(self, request):
        return whole_list(self, custom_fields.fields_in_order(workspace=self.workspace))

    @extend_schema(
        operation_id="custom_fields_create",
        tags=["custom fields"],
        responses={201: CustomFieldSerializer, 200: CustomFieldSerializer},
    )
    def post(self, request):
        field, is_new = custom_fields.create_field(workspace=self.workspace, actor=self.actor, **self.valid())
        return self.answer(field, status=201 if is_new else 200)


class CustomFieldOrderView(WorkspaceView):
    """Put custom fields into an order."""

    roles = {"PUT": Role.ADMIN}
    queryset = CustomField.objects.all()
    serializer_class = CustomFieldSerializer

    @extend_schema(
        operation_id="custom_fields_reorder",
        tags=["custom fields"],
        request=OrderSerializer,
        responses={200: FIELD_PAGE},
    )
    def put(self, request):
        ids = self.valid(OrderSerializer)["ids"]
        return whole_list(self, custom_fields.reorder_fields(workspace=self.workspace, actor=self.actor, ids=ids))


class CustomFieldView(WorkspaceView):
    """One custom field. Only a retired one can be deleted, for good and with its values."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.ADMIN, "DELETE": Role.ADMIN}
    queryset = CustomField.objects.all()
    serializer_class = CustomFieldSerializer

    @extend_schema(operation_id="custom_fields_read", tags=["custom fields"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="custom_fields_update", tags=["custom fields"], request=CustomFieldChangeSerializer)
    def patch(self, request, id):
        field = custom_fields.update_field(
            workspace=self.workspace,
            field_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(CustomFieldChangeSerializer, partial=True),
        )
        return self.answer(field)

    @extend_schema(operation_id="custom_fields_delete", tags=["custom fields"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        custom_fields.delete_field(workspace=self.workspace, field_id=id, actor=self.actor)
        return Response(status=204)


class RetireFieldView(WorkspaceView):
    """Retire a field: it is shown no more and takes no values; what contacts have in it stays."""

    roles = {"POST": Role.ADMIN}
    queryset = CustomField.objects.all()
    serializer_class = CustomFieldSerializer

    @extend_schema(operation_id="custom_fields_retire", tags=["custom fields"], request=None)
    def post(self, request, id):
        return self.answer(custom_fields.retire_field(workspace=self.workspace, field_id=id, actor=self.actor))


class RestoreFieldView(WorkspaceView):
    """Take a retired field back, with all its values."""

    roles = {"POST": Role.ADMIN}
    queryset = CustomField.objects.all()
    serializer_class = CustomFieldSerializer

    @extend_schema(operation_id="custom_fields_restore", tags=["custom fields"], request=None)
    def post(self, request, id):
        return self.answer(custom_fields.restore_field(workspace=self.workspace, field_id=id, actor=self.actor))
