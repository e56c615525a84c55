"""The operations tagged Compatibility: what the two founding documents promised, so that their clients work unchanged.

Each of them is another operation in an older form, says which one (``Link: rel="successor-version"``), and says that it
is deprecated.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from tracker.api import accounts, tasks
from tracker.api.reply import Body, Reply
from tracker.domain.query import UserQuery
from tracker.domain.user import UserStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.store.contract import Reader

    Handler = Callable[..., Reply]

MOST_USERS = 200


def _older(operation: Handler, name: str, successor: str, body: Callable[[Any], Body] | None = None) -> Handler:
    """Return an operation under an older name; ``body`` makes its older answer of the present one."""

    @wraps(operation)
    def older(**arguments: Any) -> Reply:
        reply = operation(**arguments)._replace(successor=successor)
        return reply._replace(body=body(reply.body)) if body else reply

    older.__name__, older.__module__ = name, __name__
    return older


sign_up_user = _older(
    accounts.register_user, "sign_up_user", "/register", lambda _user: {"message": "User added successfully"}
)
log_in_user = _older(accounts.login, "log_in_user", "/login", lambda tokens: {"token": tokens["token"]})
register_account = _older(accounts.register_user, "register_account", "/register")
log_in_account = _older(accounts.login, "log_in_account", "/login")
list_all_tasks = _older(tasks.list_tasks, "list_all_tasks", "/tasks")
add_task = _older(tasks.create_task, "add_task", "/tasks")


def get_users(store: Reader) -> Reply:
    """List the first users, each with the status as one letter."""
    letters = {UserStatus.ACTIVE: "Y", UserStatus.DISABLED: "N"}
    users = [
        {"username": user.username, "email": user.email, "role": user.role.value, "status": letters[user.status]}
        for user in store.users(UserQuery(limit=MOST_USERS))
    ]
    return Reply({"users": users}, successor="/users")
