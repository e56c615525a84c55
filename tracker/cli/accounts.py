"""``tracker user`` and ``tracker token``: accounts from the machine's own console, where no token is needed."""

from __future__ import annotations

import sys

import click
import jsonschema_rs
import yaml

from tracker.app import passwords, tokens
from tracker.cli import Refused
from tracker.cli.opening import load_settings, ready_store
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.clock import now
from tracker.domain.registration import new_account
from tracker.domain.session import Session
from tracker.domain.user import Role, User, UserStatus, check_password
from tracker.edge.document import document_bytes
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
        store.commit(ChangeSet("tracker user create", ACTOR, at, changes))
    click.echo(f"{made.username} ({made.role}) is created.")


@user.command()
@click.argument("name")
def disable(name: str) -> None:
    """Shut out the user with this username or e-mail address, from their next request on."""
    with ready_store(load_settings()) as store:

        def decide() -> ChangeSet:
            found, at = _found(store, name), now()
            changes = () if found.status is UserStatus.DISABLED else (Change(found, found.disabled(at=at)),)
            return ChangeSet("tracker user disable", ACTOR, at, changes)

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
        store.commit(ChangeSet("tracker token", ACTOR, at, (Change(None, session),)))
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
    """Hold what was typed to what the contract says of a NewUser; names the member and the rule, never the value."""
    document = yaml.safe_load(document_bytes())
    schema = {"$ref": "#/components/schemas/NewUser", "components": document["components"]}
    for error in jsonschema_rs.Draft4Validator(schema, validate_formats=True).iter_errors(body):
        member = ".".join(map(str, error.instance_path))
        rules = document["components"]["schemas"][member.capitalize()]
        bounds = f"{rules['minLength']} to {rules['maxLength']} characters"
        raise Refused(f"{member} must have {bounds} and match {rules['pattern']}")
