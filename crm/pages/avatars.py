"""Photos on pages."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.page_access import member_page
from crm.avatar_answers import photo_answer
from crm.models import Avatar


@require_safe
@member_page()
def avatar(request: HttpRequest, membership, avatar_id: UUID) -> HttpResponse:
    return photo_answer(request, get_object_or_404(Avatar.objects.for_workspace(membership.workspace), pk=avatar_id))
