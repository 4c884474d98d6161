"""Login of extension instances."""

from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from allauth.headless.internal.sessionkit import authenticate_by_x_session_token
from django.conf import settings
from django.contrib.auth import get_user
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role, User
from accounts.permissions import ANYONE
from accounts.serializers import ExchangeSerializer, RefreshSerializer, SwitchSerializer, TokensSerializer
from accounts.services import instances, tokens
from accounts.throttles import TokenThrottle
from waplus.lib.errors import Refused


def allowed_origins() -> set[str]:
    """Origins that may use the identity cookie for the exchange: the extensions of the settings, and no web page."""
    return set(settings.EXTENSION_ORIGINS)


class ExchangeView(WorkspaceView):
    """Exchange a proof of who is logged in for tokens of this instance.

    The person is proven by the session token of allauth's headless API
    (`X-Session-Token`), which no browser adds by itself, or by the identity
    cookie. A cookie is added by the browser to whatever a hostile page makes it
    send, so with the cookie the exact `Origin` of the extension is required:
    a page cannot forge that header. The body must be JSON, which a form cannot
    send, and must carry the instance's secret, which a page cannot know.
    """

    authentication_classes = []
    throttle_classes = [TokenThrottle]
    roles = {"POST": ANYONE}
    serializer_class = ExchangeSerializer

    @extend_schema(
        operation_id="auth_token_exchange",
        tags=["login"],
        responses={200: TokensSerializer},
        auth=[{}],
        parameters=[
            OpenApiParameter(
                "X-Session-Token", str, OpenApiParameter.HEADER, description="Of allauth's headless login."
            ),
        ],
    )
    def post(self, request):
        user = self._person(request)
        payload = self.valid()
        if not EmailAddress.objects.filter(user=user, verified=True).exists():
            raise Refused("email_not_verified")
        instance = instances.prove_instance(id=payload["instance_id"], secret=payload["instance_secret"])
        pair = tokens.log_in_instance(user=user, instance=instance, workspace_id=payload.get("workspace_id"))
        return Response(TokensSerializer(pair).data)

    def _person(self, request) -> User:
        if session_token := request.headers.get("X-Session-Token"):
            found = authenticate_by_x_session_token(session_token)
            if found is None or not found[0].is_active:
                raise Refused("not_authenticated", "The session token is not valid: log in again.")
            return found[0]
        if "Origin" not in request.headers and settings.SESSION_COOKIE_NAME not in request.COOKIES:
            raise Refused("not_authenticated", "Send the X-Session-Token of the headless login.")
        if request.headers.get("Origin") not in allowed_origins():
            raise Refused("origin_not_allowed")
        # The view authenticates nobody by itself, so `request.user` is empty here: ask the session.
        user = get_user(request._request)
        if not user.is_authenticated:
            raise Refused("not_authenticated", f"Log in at {urlsplit(settings.BASE_URL).netloc} first.")
        return user


class RefreshView(WorkspaceView):
    """Exchange a refresh token for a new pair. The old one may be repeated for a minute, should the answer get lost."""

    authentication_classes = []
    throttle_classes = [TokenThrottle]
    roles = {"POST": ANYONE}
    serializer_class = RefreshSerializer

    @extend_schema(operation_id="auth_token_refresh", tags=["login"], responses={200: TokensSerializer}, auth=[{}])
    def post(self, request):
        payload = self.valid()
        pair = tokens.rotate(
            token=payload["refresh_token"],
            instance_id=payload["instance_id"],
            instance_secret=payload["instance_secret"],
        )
        return Response(TokensSerializer(pair).data)


class SwitchView(WorkspaceView):
    """Work in another workspace of the same person: new tokens, the old ones end."""

    roles = {"POST": Role.MEMBER}
    serializer_class = SwitchSerializer

    @extend_schema(operation_id="auth_workspace_switch", tags=["login"], responses={200: TokensSerializer})
    def post(self, request):
        pair = tokens.switch_workspace(access=request.auth, workspace_id=self.valid()["workspace_id"])
        return Response(TokensSerializer(pair).data)


class LogoutView(GenericAPIView):
    """Log this instance out: its tokens end at once."""

    roles = {"POST": Role.MEMBER}
    serializer_class = None

    @extend_schema(operation_id="auth_logout", tags=["login"], request=None, responses={204: OpenApiResponse()})
    def post(self, request):
        tokens.log_out_instance(access=request.auth)
        return Response(status=204)
