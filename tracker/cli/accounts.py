"""``tracker user`` and ``tracker token``: accounts from the machine's own console, where no token is needed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from tracker.app import passwords, tokens
from tracker.cli import Refused
from tracker.cli.opening import load_settings, ready_store
from tracker.domain.administration import ACTIVE_ADMINS, changes_of, new_reset
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.clock import now
from tracker.domain.identity import SYSTEM, new_id
from tracker.domain.registration import new_account
from tracker.domain.session import Session
from tracker.domain.user import Role, User, UserStatus, check_password
from tracker.edge.call import Call
from tracker.edge.document import contract
from tracker.edge.problems import BadRequest
from tracker.edge.validation import RequestValidator
from tracker.store.deciding import decide_and_commit

if TYPE_CHECKING:
    from typing import Unpack

    from tracker.domain.user import UserMembers
    from tracker.store.contract import Reader


@click.group()
def user() -> None:
    """Create users, change their role, shut them out, let them back in."""


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
        store.commit(ChangeSet(new_id(), SYSTEM, at, changes))
    click.echo(f"{made.username} ({made.role}) is created.")


@user.command()
@click.argument("name")
def disable(name: str) -> None:
    """Shut out the user with this username or e-mail address, from their next request on."""
    _change(name, status=UserStatus.DISABLED)
    click.echo(f"{name} is disabled.")


@user.command()
@click.argument("name")
def enable(name: str) -> None:
    """Let the user with this username or e-mail address in again."""
    _change(name, status=UserStatus.ACTIVE)
    click.echo(f"{name} is active.")


@user.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice([role.value for role in Role]))
def change_role(name: str, role: str) -> None:
    """Give the user with this username or e-mail address another role."""
    _change(name, role=Role(role))
    click.echo(f"{name} is {role}.")


@user.command()
@click.argument("name")
def reset(name: str) -> None:
    """Print a secret with which the user sets another password: once, within the hour, at POST /password/reset."""
    with ready_store(load_settings()) as store:

        def decide() -> _Resetting:
            found, at = _found(store, name), now()
            _, secret, changes = new_reset(found, store.password_reset_of(found.id), at=at)
            return _Resetting(secret, ChangeSet(new_id(), SYSTEM, at, changes))

        decided, _ = decide_and_commit(decide, lambda decision: store.commit(decision.changes))
    click.echo(decided.secret)


@click.command()
@click.argument("name")
def token(name: str) -> None:
    """Begin a session for the user with this username or e-mail address, and print its access token."""
    settings = load_settings()
    with ready_store(settings) as store:
        found, at = _found(store, name), now()
        if found.status is UserStatus.DISABLED:
            raise Refused("this user is disabled")
        session = Session.new(found, at=at)
        store.commit(ChangeSet(new_id(), SYSTEM, at, (Change(None, session),)))
    click.echo(tokens(settings).issue(found, session, at=at))


class _Resetting(NamedTuple):
    """A secret, and what makes it good."""

    secret: str
    changes: ChangeSet

    @property
    def touched(self) -> tuple[str, ...]:
        return self.changes.touched


def _change(name: str, **members: Unpack[UserMembers]) -> None:
    with ready_store(load_settings()) as store:

        def decide() -> ChangeSet:
            found, at = _found(store, name), now()
            changes = changes_of(found, found.changed(at=at, **members), store.users(ACTIVE_ADMINS))
            return ChangeSet(new_id(), SYSTEM, at, changes)

        decide_and_commit(decide, store.commit)


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
    operation = next(o for o in contract().operations if o.id == "registerUser")
    call = Call("POST", operation.path, b"", {}, "", body=json.dumps(body).encode())
    try:
        RequestValidator(operation).arguments(call, {})
    except BadRequest as wrong:
        rules = [f"{error['pointer'].removeprefix('/')} {error['rule']}" for error in wrong.errors]
        raise Refused("; ".join(rules)) from None
