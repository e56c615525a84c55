"""The composition root of the web: it knows every room, no room knows it."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tracker import logs, wiring
from tracker.api import accounts, changes, compatibility, feeds, health, me, projects, tasks, users
from tracker.api.cursors import Cursors
from tracker.domain import clock
from tracker.edge import counters
from tracker.edge.addresses import Proxies
from tracker.edge.cache import Cache, Forgetful, Memory, Remembering, Shared, uncounted
from tracker.edge.commits import Carrier, Misfit
from tracker.edge.cors import Cors
from tracker.edge.counters import InMemory, InRedis
from tracker.edge.document import contract
from tracker.edge.front import Front
from tracker.edge.guard import Guard
from tracker.edge.idempotency import Records
from tracker.edge.limits import Limits
from tracker.edge.local import LocalAdministrator
from tracker.edge.observer import Watched
from tracker.edge.pages import Pages
from tracker.edge.passwords import Argon2Passwords, at_once
from tracker.edge.readiness import Lookout
from tracker.edge.responder import Responder
from tracker.edge.security import Actors, Bearer
from tracker.edge.stack import Stack
from tracker.edge.tokens import AccessTokens
from tracker.jobs.ticker import Ticker
from tracker.settings import Settings
from tracker.wiring import job_runner, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.api.reply import Reply
    from tracker.domain.clock import Clock
    from tracker.edge.document import Document
    from tracker.edge.shared_redis import SharedRedis
    from tracker.metrics import Metrics
    from tracker.store.contract import Store

THREADS = 4  # a process; more of them mostly wait for each other: p99 was 137 ms with 8, 32 ms with 4
_MODULES = {
    "Accounts": accounts,
    "Changes": changes,
    "Compatibility": compatibility,
    "Feeds": feeds,
    "Health": health,
    "Me": me,
    "Projects": projects,
    "Tasks": tasks,
    "Users": users,
}


def create_app() -> Front:
    """Return the ASGI application of one server process, configured by its environment."""
    settings = Settings()
    logs.set_up(settings)
    watchers = wiring.watchers(settings)
    hashing = at_once(settings.workers)
    # The jobs and the lookout ask too.
    store = open_store(settings, connections=THREADS + hashing + 2, watch=watchers.metrics)
    lookout = Lookout(store)
    jobs = None if settings.celery_broker_url else Ticker(job_runner(settings, store, watchers.observers))
    if jobs is not None:
        jobs.start()

    def close() -> None:
        if jobs is not None:
            jobs.stop()
        lookout.stop()  # last: it ends what waits for a database that is silent
        store.close()
        watchers.close()
        logging.shutdown()  # the server ends its processes without what Python does at the end

    respond = responder(settings, store, metrics=watchers.metrics, lookout=lookout)
    return Front(
        respond,
        threads=THREADS,
        apart=hash_passwords(contract()),
        threads_apart=hashing,
        lookout=lookout,
        close=close,
        proxies=Proxies(settings.trusted_proxies),
        cors=Cors(settings.cors_origins),
        watched=Watched(watchers.observers, respond.routes),
        stay=store.stay,
    )


def responder(
    settings: Settings,
    store: Store,
    *,
    now: Clock = clock.now,
    metrics: Metrics | None = None,
    lookout: Lookout | None = None,
) -> Responder:
    """Return the whole application behind the sockets, on a store whose schema is at hand."""
    document, access_tokens = contract(), tokens(settings)
    redis = _shared(settings.redis_url) if settings.redis_url else None
    readiness = partial((lookout or Lookout(store)).checks, redis)
    carry = partial(
        Carrier,
        store=store,
        actors=Actors(store, now),
        clock=now,
        records=Records(settings.secret_key.get_secret_value()),
        collaborators={**collaborators(settings, access_tokens), "readiness": readiness},
        cache=cache(settings, document, redis, metrics),
        require_if_match=settings.require_if_match,
    )
    endpoints = {
        operation.id: carry(operation, handler_of(operation.id, operation.tag)).carry_out
        for operation in document.operations
    }
    everybody = None if settings.auth_enable else LocalAdministrator(store, now).claims
    bearer = Bearer(access_tokens, now, everybody=everybody)
    rate_limits = limits(settings, bearer, now, redis)
    rate_limits.check(operation.rate_limit for operation in document.operations)
    return Responder(
        Guard(document.operations, hosts=settings.allowed_hosts),
        Pages(document, logins=settings.demo_logins),
        Stack(document, endpoints, bearer),
        limits=rate_limits,
        cors=Cors(settings.cors_origins),
    )


def _shared(url: str) -> SharedRedis:
    from tracker.edge.shared_redis import SharedRedis  # noqa: PLC0415 - 7 MiB of every process that has no use for it

    return SharedRedis(url)


def collaborators(settings: Settings, access_tokens: AccessTokens) -> dict[str, Any]:
    """Return what a handler may ask for by name, besides the store and the clock."""
    return {
        "passwords": passwords(settings),
        "tokens": access_tokens,
        "public_keys": settings.key_ring.public,
        "cursors": Cursors(settings.secret_key.get_secret_value()),
        "first_user_is_admin": settings.development,
    }


def limits(settings: Settings, bearer: Bearer, now: Clock, redis: SharedRedis | None) -> Limits:
    """Return what counts calls: in Redis where there is one, else in this process."""
    here = InMemory(lambda: now().timestamp())
    there = counters.Shared(InRedis(redis.client), here, redis) if redis else None
    return Limits(
        {
            "default": settings.rate_limit,
            "login": settings.rate_limit_login,
            "register": settings.rate_limit_register,
            "refresh": settings.rate_limit_refresh,
            "password": settings.rate_limit_password,
            "calendar": settings.rate_limit,
        },
        bearer=bearer,
        secret=settings.secret_key.get_secret_value(),
        counted=there.counted if there else partial(counters.counted, here),
    )


def cache(settings: Settings, document: Document, redis: SharedRedis | None, metrics: Metrics | None) -> Cache:
    """Return what remembers answers: with another contract, or on another database, they are others."""
    count = metrics.cache_answered if metrics else uncounted
    if settings.cache == "off":
        return Forgetful(count)
    of = hashlib.sha256(document.yaml_bytes).digest() + settings.database_url.encode()
    shared = Shared(redis, settings.secret_key.get_secret_value(), of) if redis else None
    return Remembering(Memory(), shared, count)


def handler_of(operation_id: str, tag: str) -> Callable[..., Reply]:
    """Return the function of an operation: ``createTask`` of ``Tasks`` is ``create_task`` in ``api/tasks.py``."""
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation_id)
    handler: Callable[..., Reply] | None = getattr(_MODULES.get(tag), name, None)
    if handler is None:
        raise Misfit(f"{operation_id} has no handler {name} in the module of the tag {tag}")
    return handler


def tokens(settings: Settings) -> AccessTokens:
    """Return what issues and checks access tokens."""
    return AccessTokens(settings.key_ring, lifetime=timedelta(minutes=settings.access_token_expire_minutes))


def passwords(settings: Settings) -> Argon2Passwords:
    """Return what hashes passwords in one of the server's processes."""
    return Argon2Passwords(settings.password_policy, parallel=at_once(settings.workers))


def hash_passwords(document: Document) -> frozenset[tuple[str, str]]:
    """Return the operations, by method and path, that hash passwords: those with limits of their own for it."""
    limited = {"login", "register", "password"}
    return frozenset((op.method, op.path) for op in document.operations if op.rate_limit in limited)
