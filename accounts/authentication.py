"""Bearer tokens for the API. Cookies open nothing here, so a foreign page can do nothing with them."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header

from accounts.services.tokens import check_access
from waplus.lib.errors import Refused


class AccessTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`; `request.auth` is the `Access` behind it.

    A view with a method `glance` (see `accounts.services.tokens.Glance`) has it looked for in the same query.
    """

    def authenticate(self, request):
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        glance = getattr(request.parser_context["view"], "glance", None)
        try:
            access = check_access(token.strip().decode("ascii"), glance and glance(request))
        except UnicodeDecodeError as error:
            raise Refused("token_invalid") from error
        return access.user, access

    def authenticate_header(self, request):
        return "Bearer"


class AccessTokenScheme(OpenApiAuthenticationExtension):
    """How OpenAPI describes the above."""

    target_class = "accounts.authentication.AccessTokenAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "description": "The `access_token` of `POST /api/v1/auth/token/`."}
