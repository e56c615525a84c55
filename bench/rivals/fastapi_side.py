"""FastAPI with SQLModel and PyJWT, in the form of its tutorial: dependencies, sync endpoints, models in and out."""

# No ``from __future__ import annotations`` here: FastAPI reads the annotations of the functions.
import base64
import hashlib
import os
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, FastAPI, HTTPException, Query, Response, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import make_url, tuple_
from sqlmodel import Session, col, create_engine, select

from bench.rivals import fastapi_models as models
from bench.rivals.workflow import ALLOWED, RANKS, now, token_for, user_of

url = make_url(os.environ["DATABASE_URL"])  # noqa: TID251 - as its users write it
engine = create_engine(url.set(drivername="postgresql+psycopg2"))  # the driver of the other sides
app = FastAPI()
hasher = PasswordHasher()


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


def get_current_user(session: SessionDep, bearer: Bearer) -> models.User:
    try:
        user = session.get(models.User, uuid.UUID(user_of(bearer.credentials)))
    except (jwt.PyJWTError, ValueError):
        user = None
    if user is None or user.status != "active":
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    return user


CurrentUser = Annotated[models.User, Depends(get_current_user)]


@app.get("/livez", status_code=204)
def livez() -> Response:
    return Response(status_code=204)


@app.get("/tasks/{task_id}", response_model=models.TaskOut)
def read_task(task_id: uuid.UUID, session: SessionDep, user: CurrentUser) -> models.Task:
    return visible(session, task_id, user)


@app.get("/tasks", response_model=models.TaskPage)
def read_tasks(
    session: SessionDep, user: CurrentUser, limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: str | None = None
) -> dict[str, object]:
    task = models.Task
    statement = select(task).where(task.project_id == user.inbox_id, col(task.archived_at).is_(None))
    if cursor is not None:
        statement = statement.where(tuple_(task.created_at, task.id) < opened(cursor))
    statement = statement.order_by(col(task.created_at).desc(), col(task.id).desc()).limit(limit + 1)
    found = session.exec(statement).all()
    return {"items": found[:limit], "next": sealed(found[limit - 1]) if len(found) > limit else None}


@app.post("/tasks", response_model=models.TaskOut, status_code=201)
def create_task(body: models.NewTask, session: SessionDep, user: CurrentUser) -> models.Task:
    project = locked(session, user.inbox_id)
    project.last_number += 1
    task = models.Task(
        project_id=project.id,
        number=project.last_number,
        created_by=user.id,
        priority_rank=RANKS[body.priority],
        **body.columns(),
    )
    task.updated_at = task.created_at
    session.add(task)
    log(session, project, user, None, task)
    session.commit()
    session.refresh(task)
    return task


@app.patch("/tasks/{task_id}/status", response_model=models.TaskOut)
def change_status(task_id: uuid.UUID, body: models.StatusChange, session: SessionDep, user: CurrentUser) -> models.Task:
    task = visible(session, task_id, user)
    if body.status != task.status and body.status not in ALLOWED[task.status]:
        raise HTTPException(status.HTTP_409_CONFLICT, f"{task.status} leads to {ALLOWED[task.status]}")
    project, before = locked(session, task.project_id), record(task)
    task.status, task.updated_at, task.version = body.status, now(), task.version + 1
    session.add(task)
    log(session, project, user, before, task)
    session.commit()
    session.refresh(task)
    return task


@app.post("/login", response_model=models.TokenOut)
def login(body: models.Credentials, session: SessionDep) -> dict[str, object]:
    user = session.exec(select(models.User).where(models.User.username == body.username)).first()
    try:
        if user is None or not hasher.verify(user.password_hash, body.password):
            raise HTTPException(status.HTTP_401_UNAUTHORIZED)
    except VerifyMismatchError:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED) from None
    login = models.Session(user_id=user.id, expires_at=now() + timedelta(days=30))
    tokens = token_for(str(user.id), str(login.id))
    digest = hashlib.sha256(tokens["refresh_token"].encode()).hexdigest()
    session.add(login)
    session.flush()
    session.add(models.RefreshToken(id=digest, session_id=login.id))
    session.commit()
    return tokens


def visible(session: Session, task_id: uuid.UUID, user: models.User) -> models.Task:
    task = session.get(models.Task, task_id)
    if task is None or task.project_id != user.inbox_id:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return task


def locked(session: Session, project_id: uuid.UUID) -> models.Project:
    """Return a project whose numbers nobody else gives out until this transaction is over."""
    return session.exec(select(models.Project).where(models.Project.id == project_id).with_for_update()).one()


def log(
    session: Session, project: models.Project, user: models.User, before: dict[str, object] | None, task: models.Task
) -> None:
    project.head += 1
    session.add(project)
    session.add(
        models.LogEntry(
            project_id=project.id,
            head=project.head,
            operation_id=str(uuid.uuid4()),
            actor_id=str(user.id),
            entity_id=str(task.id),
            before=before,
            after=record(task),
        )
    )


def record(task: models.Task) -> dict[str, object]:
    """Return a task as the log has it: Tracker's own jobs read that log, too."""
    return models.TaskOut.model_validate(task).model_dump(mode="json", exclude={"overdue", "allowed_statuses"})


def sealed(task: models.Task) -> str:
    return base64.urlsafe_b64encode(f"{task.created_at.isoformat()} {task.id}".encode()).decode()


def opened(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        at, _, id_ = base64.urlsafe_b64decode(cursor).decode().partition(" ")
        return datetime.fromisoformat(at), uuid.UUID(id_)
    except ValueError:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "cursor") from None
