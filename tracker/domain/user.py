"""People of an installation: their names, their role, and the rules for their passwords."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypedDict

from tracker.domain.identity import new_id
from tracker.domain.refusals import PasswordRefused

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Unpack


class Role(StrEnum):
    """A role of the installation: admins may do all, members create projects and tasks, viewers read."""

    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class UserStatus(StrEnum):
    """A disabled user is refused on the next request, whatever token they hold."""

    ACTIVE = "active"
    DISABLED = "disabled"


class PasswordPolicy(StrEnum):
    """``default``: 8 to 128 characters, not one's own name; ``strict``: 15 or more, and none that everybody guesses."""

    DEFAULT = "default"
    STRICT = "strict"


class Passwords(Protocol):
    """Hashes passwords at a cost that is bounded; raises Unavailable when too many are asked for at once."""

    policy: PasswordPolicy

    def hash(self, password: str) -> str:
        """Return an encoded hash with its salt and parameters."""

    def verify(self, encoded: str | None, password: str) -> bool:
        """Return whether they belong together; takes the same time when there is no hash to compare with."""


def folded(name: str) -> str:
    """Return the form in which two names are the same name: NFC, case folded, NFC again."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class UserMembers(TypedDict, total=False):
    """What can be set of a user, by themselves or by an admin; a member that is absent stays as it is."""

    username: str
    email: str
    role: Role
    status: UserStatus


@dataclass(frozen=True)
class User:
    """A person. ``email`` and ``username`` are unique in their folded form; ``inbox_id`` is their own project.

    ``session_generation`` goes up when all their sessions end at once: those of an earlier one are over, also one that
    somebody is about to begin with the password as it was.
    """

    id: str
    username: str
    email: str
    role: Role
    status: UserStatus
    password_hash: str
    inbox_id: str
    created_at: datetime
    updated_at: datetime
    session_generation: int = 1
    version: int = 1

    @classmethod
    def new(  # noqa: PLR0913 - what a person is made of
        cls, *, username: str, email: str, role: Role, password_hash: str, inbox_id: str, at: datetime
    ) -> User:
        """Return an active user."""
        return cls(new_id(), username, email, role, UserStatus.ACTIVE, password_hash, inbox_id, at, at)

    @property
    def active(self) -> bool:
        """Whether they may come in at all."""
        return self.status is UserStatus.ACTIVE

    @property
    def administers(self) -> bool:
        """Whether they are one of those without whom nobody could be let in, or shut out."""
        return self.active and self.role is Role.ADMIN

    def changed(self, *, at: datetime, **members: Unpack[UserMembers]) -> User:
        """Return this user with ``members`` in place of their own, one version on; themselves where nothing differs.

        Who is shut out has no session to come back to.
        """
        changed = replace(self, **members)
        if changed == self:
            return self
        ended = self.active and not changed.active
        generation = self.session_generation + ended
        return replace(changed, session_generation=generation, updated_at=at, version=self.version + 1)

    def with_password(self, password_hash: str, *, at: datetime) -> User:
        """Return this user with another password; no session outlives the one before."""
        generation = self.session_generation + 1
        return replace(
            self, password_hash=password_hash, session_generation=generation, updated_at=at, version=self.version + 1
        )

    def held(self) -> User:
        """Return this user one version on and otherwise the same.

        A commit with this change in it stands only if they are still as they were read, and no other such commit does.
        """
        return replace(self, version=self.version + 1)


_STRICT_LENGTH = 15
_COMMON_ROOTS = (
    "correcthorsebatterystaple",
    "thisismypassword",
    "administrator",
    "passphrase",
    "trustnoone",
    "qwertyuiop",
    "mypassword",
    "asdfghjkl",
    "iloveyou",
    "password",
    "changeme",
    "superman",
    "princess",
    "sunshine",
    "football",
    "letmein",
    "welcome",
    "qwerty",
    "secret",
)


def check_password(password: str, *, username: str, email: str, policy: PasswordPolicy) -> None:
    """Raise PasswordRefused where the policy says no. Source: NIST SP 800-63B-4 section 3.1.1; no composition rules."""
    if folded(password) in {folded(username), folded(email)}:
        raise PasswordRefused("password must not be the username or the e-mail address.")
    if policy is PasswordPolicy.STRICT:
        _check_strictly(password, username)


def _check_strictly(password: str, username: str) -> None:
    if len(password) < _STRICT_LENGTH:
        raise PasswordRefused(f"password must have {_STRICT_LENGTH} characters or more.")
    if _is_guessable(folded(password), folded(username)):
        raise PasswordRefused("password is one that is commonly guessed.")


def _is_guessable(password: str, username: str) -> bool:
    letters = _letters(password).replace(_letters(username), "")
    for root in _COMMON_ROOTS:
        letters = letters.replace(root, "")
    return not letters or len(set(password)) <= 4  # noqa: PLR2004 - 'aaaabbbbaaaabbbb' is guessed too


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalpha())
