"""The start page, for people who do not know the product yet."""

from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def landing(request):
    """What the product is and what it does not do."""
    return render(request, "pages/landing.html")
