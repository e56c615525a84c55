"""Rate limits: how often one caller may ask, and how often anybody may try a name or a token.

An operation names its policy in the contract (``x-rate-limit``); the rest is ``default``. Whatever is answered is
counted, refusals too; only the probes and the pages are not, which cost less than counting them. What is counted is a
keyed hash: neither memory nor Redis holds an address, a name or a token.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from limits import RateLimitItem, parse

from tracker.domain.user import folded
from tracker.edge.addresses import neighbourhood
from tracker.edge.counters import Quota, Verdict
from tracker.edge.problems import BadRequest, TooManyRequests
from tracker.edge.validation import strict_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tracker.edge.call import Call
    from tracker.edge.security import Bearer

    Subjects = Callable[[Call], Iterable[str]]

DEFAULT = "default"
OFF = "off"
_NAMES = ("email", "username")
_SECRETS = ("refresh_token", "secret")
_OF_PROGRAMS = frozenset({"calendar"})  # what asks has a secret in the path, and may have anybody's token besides
_EVERYWHERE = 10  # times as many logins for all the accounts at one address, and for one account at all addresses


class UnknownPolicy(Exception):
    """The contract names a policy that there is not: the start-up stops."""


class Rule(NamedTuple):
    """A rate, and what it is counted for: each of the subjects of a call by itself."""

    name: str
    rate: RateLimitItem
    subjects: Subjects


class Limits:
    """Counts calls, each by the rules of its policy, and refuses what is too many."""

    def __init__(
        self,
        rates: Mapping[str, str],
        *,
        bearer: Bearer,
        secret: str,
        counted: Callable[[Sequence[Quota]], Verdict],
    ) -> None:
        """Take a rate such as ``600/minute`` for each policy, or ``off``."""
        self._bearer, self._counted = bearer, counted
        self._secret = blake2b(secret.encode()).digest()
        self._policies = {name: tuple(self._rules(name, rate)) for name, rate in rates.items()}

    def check(self, policies: Iterable[str | None]) -> None:
        """Raise UnknownPolicy unless there are all of these; None is ``default``."""
        if unknown := {policy or DEFAULT for policy in policies} - self._policies.keys():
            raise UnknownPolicy(f"x-rate-limit names {', '.join(sorted(unknown))}, which is no policy")

    def count(self, call: Call, policy: str | None) -> None:
        """Count a call and note what is left; raise TooManyRequests where nothing is."""
        quotas = [
            Quota(rule.name, rule.rate, self._key(rule, subject))
            for rule in self._policies[policy or DEFAULT]
            for subject in rule.subjects(call)
        ]
        if quotas:
            verdict = self._counted(quotas)
            call.limits = _told(verdict)
            if not verdict.admitted:
                raise TooManyRequests(verdict.retry_after)

    def _key(self, rule: Rule, subject: str) -> str:
        hashed = blake2b(subject.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=16)
        return f"{rule.name}:{hashed.hexdigest()}"

    def _rules(self, policy: str, text: str) -> Iterable[Rule]:
        if text == OFF:
            return
        rate = parse(text)
        often = type(rate)(rate.amount * _EVERYWHERE, rate.multiples)
        match policy:
            case "login":
                yield Rule("login", rate, _accounts_at_address)
                yield Rule("login-address", often, _address)
                yield Rule("login-account", often, _accounts)
            case "register":
                yield Rule("register", rate, _address)
                yield Rule("register-account", rate, _accounts)
            case "refresh":
                yield Rule("refresh", rate, _address)
                yield Rule("refresh-token", rate, _secret)
            case "password":
                yield Rule("password", rate, self._caller)
                yield Rule("password-secret", rate, _secret)
            case _:
                yield Rule(policy, rate, _address if policy in _OF_PROGRAMS else self._caller)

    def _caller(self, call: Call) -> Iterable[str]:
        user = self._bearer.user_id(call)
        return (f"user {user}",) if user is not None else _address(call)


def _address(call: Call) -> Iterable[str]:
    return (f"address {neighbourhood(call.address)}",)


def _accounts(call: Call) -> Iterable[str]:
    """Return the names in the body, in the form in which they are compared; all of them, for one may be a decoy."""
    body = _body(call)
    return [f"account {folded(name)}" for member in _NAMES if isinstance(name := body.get(member), str)]


def _accounts_at_address(call: Call) -> Iterable[str]:
    (address,) = _address(call)
    return [f"{account} at {address}" for account in _accounts(call)]


def _secret(call: Call) -> Iterable[str]:
    """Return what in the body has to be known, and could be guessed at, other than a password."""
    body = _body(call)
    return [f"secret {secret}" for member in _SECRETS if isinstance(secret := body.get(member), str)]


def _body(call: Call) -> Mapping[str, object]:
    """Return the members of the body, read as they will be read again; none where it will be refused."""
    try:
        body = strict_json(call.body)
    except BadRequest:
        return {}
    return body if isinstance(body, dict) else {}


def _told(verdict: Verdict) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers of draft-ietf-httpapi-ratelimit-headers-10."""
    name, rate, _ = verdict.quota
    policy = f'"{name}";q={rate.amount};w={rate.get_expiry()}'
    left = f'"{name}";r={verdict.left};t={verdict.retry_after}'
    return (b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())
