"""``tracker user`` and ``tracker token``: accounts from the machine's own console, where no token is needed."""

from __future__ import annotations

import json
import sys

import click

from tracker.app import passwords, tokens
from tracker.cli import Refused
from tracker.cli.opening import load_settings, ready_store
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.clock import now
from tracker.domain.identity import new_id
from tracker.domain.registration import new_account
from tracker.domain.session import Session
from tracker.domain.user import Role, User, UserStatus, check_password
from tracker.edge.call import Call
from tracker.edge.document import Document, document_bytes
from tracker.edge.problems import BadRequest
from tracker.edge.validation import RequestValidator
from tracker.store.contract import Reader, decide_and_commit

ACTOR = "system"


@click.group()
def user() -> None:
    """Create and disable users."""


@user.command()
@click.option("--username", required=True)
@click.option("--email", required=True)
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.MEMBER.value, show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of the standard input.")
def create(*, username: str, email: str, role: str, password_stdin: bool) -> None:
    """Create a user; asks for the password. The way to the first admin in production."""
    settings = load_settings()
    password = _password(from_stdin=password_stdin)
    _refuse_malformed({"username": username, "email": email, "password": password, "role": role})
    hashes, at = passwords(settings), now()
    with ready_store(settings) as store:
        check_password(password, username=username, email=email, policy=hashes.policy)
        made, changes = new_account(
            username=username, email=email, role=Role(role), password_hash=hashes.hash(password), at=at
        )
        store.commit(ChangeSet(new_id(), ACTOR, at, changes))
    click.echo(f"{made.username} ({made.role}) is created.")


@user.command()
@click.argument("name")
def disable(name: str) -> None:
    """Shut out the user with this username or e-mail address, from their next request on."""
    with ready_store(load_settings()) as store:

        def decide() -> ChangeSet:
            found, at = _found(store, name), now()
            changes = () if found.status is UserStatus.DISABLED else (Change(found, found.disabled(at=at)),)
            return ChangeSet(new_id(), ACTOR, at, changes)

        decide_and_commit(decide, store.commit)
    click.echo(f"{name} is disabled.")


@click.command()
@click.argument("name")
def token(name: str) -> None:
    """Begin a session for the user with this username or e-mail address, and print its access token."""
    settings = load_settings()
    with ready_store(settings) as store:
        found, at = _found(store, name), now()
        if found.status is UserStatus.DISABLED:
            raise Refused("this user is disabled")
        session = Session.new(found.id, at=at)
        store.commit(ChangeSet(new_id(), ACTOR, at, (Change(None, session),)))
    click.echo(tokens(settings).issue(found, session, at=at))


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _found(store: Reader, name: str) -> User:
    found = store.user_named(email=name) if "@" in name else store.user_named(username=name)
    if found is None:
        raise Refused("there is no such user")
    return found


def _refuse_malformed(body: dict[str, str]) -> None:
    """Hold what was typed to what the contract asks of who registers; name the member and the rule, never the value."""
    operation = next(o for o in Document(document_bytes()).operations if o.id == "registerUser")
    call = Call("POST", operation.path, b"", {}, "", body=json.dumps(body).encode())
    try:
        RequestValidator(operation).arguments(call, {})
    except BadRequest as wrong:
        rules = [f"{error['pointer'].removeprefix('/')} {error['rule']}" for error in wrong.errors]
        raise Refused("; ".join(rules)) from None
