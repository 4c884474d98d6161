"""What `OPTIONS` answers: the methods of an address and nothing of its shapes, which are in the schema."""

from rest_framework.metadata import BaseMetadata


class MethodsOnly(BaseMetadata):
    """The same for everybody, so that it needs no login and cannot fail."""

    def determine_metadata(self, request, view) -> dict:
        return {"methods": view.allowed_methods}
