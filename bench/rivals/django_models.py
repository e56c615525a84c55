"""The tables as Django's models."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from bench.rivals.workflow import ALLOWED, is_overdue, now


class User(models.Model):
    """Who asks."""

    id = models.UUIDField(primary_key=True)
    username = models.TextField()
    status = models.TextField()
    password_hash = models.TextField()
    inbox_id = models.UUIDField()
    is_authenticated = True  # what Django REST framework asks of whoever a token names

    class Meta:
        app_label, managed, db_table = "bench", False, "users"


class Session(models.Model):
    """One login."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey(User, models.CASCADE)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    version = models.BigIntegerField(default=1)

    class Meta:
        app_label, managed, db_table = "bench", False, "sessions"


class RefreshToken(models.Model):
    """What a session goes on with, by its digest."""

    id = models.CharField(primary_key=True, max_length=64)
    session = models.ForeignKey(Session, models.CASCADE)
    created_at = models.DateTimeField(default=now)
    version = models.BigIntegerField(default=1)

    class Meta:
        app_label, managed, db_table = "bench", False, "refresh_tokens"


class Project(models.Model):
    """What tasks are in, and the numbers it gives them."""

    id = models.UUIDField(primary_key=True)
    head = models.BigIntegerField()
    last_number = models.BigIntegerField()

    class Meta:
        app_label, managed, db_table = "bench", False, "projects"


class Task(models.Model):
    """One thing to be done."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project = models.ForeignKey(Project, models.CASCADE)
    number = models.BigIntegerField()
    title = models.TextField()
    description = models.TextField(default="")
    status = models.TextField(default="todo")
    priority = models.TextField(default="none")
    labels = ArrayField(models.TextField(), default=list)
    due_date = models.DateField(null=True)
    due_time = models.TextField(null=True)  # noqa: DJ001 - the table is as it is
    due_timezone = models.TextField(null=True)  # noqa: DJ001 - likewise
    assignee_id = models.UUIDField(null=True)
    created_by = models.UUIDField()
    completed_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)
    version = models.BigIntegerField(default=1)
    overdue_after = models.DateTimeField(null=True)
    priority_rank = models.SmallIntegerField(default=0)

    class Meta:
        app_label, managed, db_table = "bench", False, "tasks"

    @property
    def due(self) -> dict[str, object] | None:
        """Its deadline, of three columns."""
        at = {"date": self.due_date, "time": self.due_time, "timezone": self.due_timezone}
        return at if self.due_date else None

    @property
    def overdue(self) -> bool:
        """Whether that has passed."""
        return is_overdue(self.status, self.overdue_after)

    @property
    def allowed_statuses(self) -> list[str]:
        """Where its status leads."""
        return ALLOWED[self.status]


class LogEntry(models.Model):
    """Who changed what, and how it was."""

    pk = models.CompositePrimaryKey("project_id", "head", "n")
    project_id = models.UUIDField()
    head = models.BigIntegerField()
    n = models.IntegerField(default=0)
    operation_id = models.TextField()
    actor_id = models.TextField()
    at = models.DateTimeField(default=now)
    entity = models.TextField(default="task")
    entity_id = models.TextField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        app_label, managed, db_table = "bench", False, "log_entries"
