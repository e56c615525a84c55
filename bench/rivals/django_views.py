"""The views and where they are found."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import exceptions, generics, pagination
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.rivals.django_models import RefreshToken, Session, Task, User
from bench.rivals.django_serializers import CredentialsSerializer, StatusSerializer, TaskSerializer
from bench.rivals.workflow import now, token_for

if TYPE_CHECKING:
    import uuid

    from django.http import HttpRequest
    from rest_framework.request import Request


class TaskPagination(pagination.CursorPagination):
    """Pages of what is newest, with the cursor alone."""

    page_size_query_param = "limit"
    max_page_size = 200
    ordering = ("-created_at", "-id")

    def get_paginated_response(self, data: Any) -> Response:
        following = self.get_next_link()
        return Response({"items": data, "next": following and parse_qs(urlsplit(following).query)["cursor"][0]})


class TaskList(generics.ListCreateAPIView):
    """``/tasks``."""

    serializer_class = TaskSerializer
    pagination_class = TaskPagination

    def get_queryset(self) -> Any:
        return Task.objects.filter(project_id=self.request.user.inbox_id, archived_at=None)


class TaskDetail(generics.RetrieveAPIView):
    """``/tasks/{task_id}``."""

    serializer_class = TaskSerializer

    def get_queryset(self) -> Any:
        return Task.objects.filter(project_id=self.request.user.inbox_id)


class TaskStatus(APIView):
    """``/tasks/{task_id}/status``."""

    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        task = get_object_or_404(Task, pk=pk, project_id=request.user.inbox_id)
        moved = StatusSerializer(task, data=request.data, context={"request": request})
        moved.is_valid(raise_exception=True)
        return Response(TaskSerializer(moved.save()).data)


class Login(APIView):
    """``/login``."""

    authentication_classes: tuple[Any, ...] = ()
    permission_classes: tuple[Any, ...] = ()

    def post(self, request: Request) -> Response:
        given = CredentialsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = User.objects.filter(username=given.validated_data["username"]).first()
        # Django writes the name of its hasher in front of what argon2-cffi gives.
        if user is None or not check_password(given.validated_data["password"], f"argon2{user.password_hash}"):
            raise exceptions.AuthenticationFailed
        with transaction.atomic():
            session = Session.objects.create(user=user, expires_at=now() + timedelta(days=30))
            tokens = token_for(str(user.pk), str(session.pk))
            digest = hashlib.sha256(tokens["refresh_token"].encode()).hexdigest()
            RefreshToken.objects.create(pk=digest, session=session)
        return Response(tokens)


def livez(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


urlpatterns = [
    path("livez", livez),
    path("login", Login.as_view()),
    path("tasks", TaskList.as_view()),
    path("tasks/<uuid:pk>", TaskDetail.as_view()),
    path("tasks/<uuid:pk>/status", TaskStatus.as_view()),
]
