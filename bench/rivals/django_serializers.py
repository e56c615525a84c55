"""What goes in and out, and what becomes true with it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from rest_framework import exceptions, serializers

from bench.rivals.django_models import LogEntry, Project, Task, User
from bench.rivals.workflow import ALLOWED, RANKS, end_of, now, written

_COMPUTED = {"overdue", "allowed_statuses"}


class InstantField(serializers.DateTimeField):
    """An instant with milliseconds."""

    def to_representation(self, value: Any) -> str | None:
        return written(value)


class DueSerializer(serializers.Serializer):
    """A day, or a minute of it."""

    date = serializers.DateField()
    time = serializers.CharField(allow_null=True, required=False, default=None)
    timezone = serializers.CharField(allow_null=True, required=False, default=None)


class TaskSerializer(serializers.ModelSerializer):
    """A task as it is made and as it is answered."""

    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=10_000, default="", allow_blank=True)
    priority = serializers.ChoiceField([*RANKS], default="none")
    labels = serializers.ListField(child=serializers.CharField(max_length=50), max_length=20, default=list)
    due = DueSerializer(allow_null=True, default=None)
    allowed_statuses = serializers.ReadOnlyField()
    overdue = serializers.ReadOnlyField()
    project_id = serializers.UUIDField(read_only=True)
    completed_at = InstantField(read_only=True)
    archived_at = InstantField(read_only=True)
    created_at = InstantField(read_only=True)
    updated_at = InstantField(read_only=True)

    class Meta:
        model = Task
        fields = (
            *("id", "project_id", "number", "title", "description", "status", "allowed_statuses", "priority"),
            *("labels", "due", "overdue", "assignee_id", "created_by", "completed_at", "archived_at", "version"),
            *("created_at", "updated_at"),
        )
        read_only_fields = ("id", "number", "status", "assignee_id", "created_by", "version")

    def create(self, validated_data: dict[str, Any]) -> Task:
        due, user = validated_data.pop("due"), self.context["request"].user
        with transaction.atomic():
            project = Project.objects.select_for_update().get(pk=user.inbox_id)
            project.last_number += 1
            at = now()
            task = Task.objects.create(
                **validated_data,
                project=project,
                number=project.last_number,
                created_by=user.pk,
                priority_rank=RANKS[validated_data["priority"]],
                due_date=due and due["date"],
                overdue_after=end_of(due and due["date"]),
                created_at=at,
                updated_at=at,
            )
            log(project, user, None, task)
        return task


class StatusSerializer(serializers.ModelSerializer):
    """Where a task is to move."""

    status = serializers.ChoiceField([*ALLOWED])

    class Meta:
        model = Task
        fields = ("status",)

    def update(self, instance: Task, validated_data: dict[str, Any]) -> Task:
        status, user = validated_data["status"], self.context["request"].user
        if status != instance.status and status not in ALLOWED[instance.status]:
            raise exceptions.ValidationError({"status": f"{instance.status} leads to {ALLOWED[instance.status]}"})
        with transaction.atomic():
            project = Project.objects.select_for_update().get(pk=instance.project_id)
            before = record(instance)
            instance.status, instance.updated_at, instance.version = status, now(), instance.version + 1
            instance.save(update_fields=["status", "updated_at", "version"])
            log(project, user, before, instance)
        return instance


class CredentialsSerializer(serializers.Serializer):
    """Who wants a token."""

    username = serializers.CharField()
    password = serializers.CharField()


def log(project: Project, user: User, before: dict[str, Any] | None, task: Task) -> None:
    project.head += 1
    project.save(update_fields=["head", "last_number"])
    LogEntry.objects.create(
        project_id=project.pk,
        head=project.head,
        operation_id=str(uuid.uuid4()),
        actor_id=str(user.pk),
        entity_id=str(task.pk),
        before=before,
        after=record(task),
    )


def record(task: Task) -> dict[str, Any]:
    """Return a task as the log has it: Tracker's own jobs read that log, too."""
    members = {name: value for name, value in TaskSerializer(task).data.items() if name not in _COMPUTED}
    return {**members, "due": members["due"] and dict(members["due"])}
