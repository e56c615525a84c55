"""Django REST framework with PyJWT, in the form of its tutorial: serializers, generic views, a cursor's pagination."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
