"""Bearer tokens, as REST framework asks who sends one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from bench.rivals.django_models import User
from bench.rivals.workflow import user_of

if TYPE_CHECKING:
    from rest_framework.request import Request


class BearerAuthentication(BaseAuthentication):
    """Who a token names."""

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return User.objects.get(pk=user_of(token), status="active"), token
        except (jwt.PyJWTError, User.DoesNotExist, ValueError):
            raise AuthenticationFailed from None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - its signature
        return "Bearer"
