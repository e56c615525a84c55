"""The composition root of the background, on Celery: beat sends ticks through a broker, workers make them.

A tick is a message that carries the name of a job, and nothing else: what there is to do stands in the database. So
none may be missed for long, and none matters: a lost one is followed by another, a doubled one finds nothing to do.
Seen on Celery 5.7.0 and kombu 5.7.0, and on RabbitMQ 3.10.8: by itself kombu waits up to 30 seconds between two tries
to reach a broker; Celery takes CELERY_BROKER_URL from the environment before any setting; and beside a quorum queue
it declares 28 more, for messages that are due later, of which there are none here.
"""

from __future__ import annotations

import logging
import signal
import socket
import ssl
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import kombu
from celery import Celery, bootsteps, signals
from celery.app.amqp import AMQP
from celery.apps.beat import Beat as AnyBeat
from celery.beat import Scheduler
from celery.utils.dispatch import Signal
from celery.worker.consumer import Connection as Connected
from celery.worker.consumer import Consumer as AnyConsumer
from kombu import Queue

from tracker import wiring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tracker.settings import Settings

    Tick = Callable[[str], None]

TICK = 5.0  # seconds from one tick of a job to the next
QUEUE = "tracker.ticks"
PARKED = "tracker.parked"  # what has killed its process DELIVERIES times; for a person to look at
DELIVERIES = 5
UNACKNOWLEDGED = 60  # seconds after which Redis gives a tick to another worker; a tick takes half of it at the most
_EXPIRY = 60  # seconds; a tick that killed its process is not tried for ever, and clocks may differ by less
_LONGEST = 50  # seconds; what hangs that long is killed
_PAUSE = 1.0  # seconds between two tries to reach the broker
_SILENCE = 60.0  # seconds from one word about a broker that does not answer to the next
_PATIENCE = 4  # seconds for a connection or an answer
_HEARTBEAT = 10  # seconds; a RabbitMQ that is silent for twice as long is gone
_log = logging.getLogger("tracker")

alive = Signal(name="alive")  # sent every few seconds by what a worker or a beat is about, as long as it gets on


def job_names(settings: Settings) -> tuple[str, ...]:
    """Return the names in the table of jobs."""
    return tuple(job.name for job in wiring.jobs(settings))


def open_ticks(settings: Settings) -> Tick:
    """Return what makes a tick of a job; called once in each process that makes any, so after the fork."""
    watchers = wiring.watchers(settings)
    store = wiring.open_store(settings, connections=1, watch=watchers.metrics)
    store.ping()

    def close(**_: object) -> None:
        watchers.close()
        logging.shutdown()  # Celery ends its processes without what Python does at the end

    signals.worker_process_shutdown.connect(close, weak=False)
    return wiring.job_runner(settings, store, watchers.observers).tick


def celery_app(broker_url: str, jobs: Iterable[str], open_: Callable[[], Tick]) -> Celery:
    """Return what sends a tick of each job every few seconds (beat), and what makes it (worker).

    ``open_`` is called once in each process of a worker, when its first tick is due; if it raises, at the next again.
    """
    app = Celery("tracker", amqp=Amqp, set_as_current=False)
    app.conf.update(_settings(broker_url, tuple(jobs)))
    opened = cache(open_)

    def tick(job: str) -> None:
        try:
            opened()(job)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the worker goes on
            said = "the job %s failed (%s); a later tick tries it again"
            _log.exception(said, job, type(problem).__name__, extra={"job": job})

    app.task(name="tracker.tick")(tick)
    app.steps["consumer"].update({Parking, Pulse})
    return app


def work(app: Celery, processes: int) -> int:
    """Make ticks in so many processes until SIGTERM; return the exit code."""
    worker = app.Worker(
        pool_cls="prefork",
        concurrency=processes,
        queues=[QUEUE],
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def beat(app: Celery, count: Callable[[str], None] = lambda _: None) -> None:
    """Send ticks until SIGTERM, and count the rounds."""

    class Counted(Rounds):
        def count(self, result: str) -> None:
            count(result)

    Beat(app=app, quiet=True, scheduler_cls=Counted).run()


def broker_answers(url: str, within: float = 2.0) -> bool:
    """Whether a broker lets us in; False after ``within`` seconds of silence."""
    with _connection(url, within) as connection:
        try:
            connection.ensure_connection(max_retries=0)
            connection.default_channel  # noqa: B018 - Redis is asked no earlier
        except (*connection.connection_errors, *connection.channel_errors, kombu.exceptions.OperationalError):
            connection.collect()  # without a farewell, which a broker that hangs would let us wait for
            return False
        return True


class Waiting(NamedTuple):
    """How many messages wait in a queue, and how many take from it."""

    waiting: int
    consumers: int


def queue_at(url: str, name: str, within: float = 2.0) -> Waiting | None:
    """Return what is with a queue of a broker that answers; None where there is no such queue."""
    with _connection(url, within) as connection:
        try:
            said = connection.default_channel.queue_declare(name, passive=True)
        except connection.channel_errors:
            return None
        return Waiting(int(said.message_count), int(said.consumer_count))


def _connection(url: str, within: float) -> kombu.Connection:
    options = {} if _is_rabbitmq(url) else {"socket_timeout": within, "socket_connect_timeout": within}
    return kombu.Connection(url, connect_timeout=within, ssl=_tls(url), transport_options=options)


class Connection(kombu.Connection):
    """A connection that tries once a second for as long as it takes, whatever the reason, and hardly talks about it."""

    @property
    def recoverable_connection_errors(self) -> tuple[type[Exception], ...]:
        """All of them: a broker that is just starting knows neither its users nor its virtual hosts yet."""
        return tuple(self.connection_errors)

    def ensure_connection(self, errback: object = None, max_retries: int | None = None, **options: Any) -> Connection:
        """As in kombu, but the pause does not grow, and ``errback``, which would log each try, is not called."""
        del errback
        alive.send(self)
        lament = Lament(self.as_uri())
        options |= {"interval_start": _PAUSE, "interval_step": 0, "interval_max": _PAUSE}
        super().ensure_connection(lament, max_retries, **options)
        lament.end()
        return self


class Lament:
    """Says that a broker does not answer, once a minute, and that it does again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._next: float | None = None

    def __call__(self, problem: Exception, _: float) -> None:
        alive.send(self)
        if self._next is None or time.monotonic() > self._next:
            self._next = time.monotonic() + _SILENCE
            _log.warning("the broker %s does not answer (%s); trying once a second", self._url, type(problem).__name__)

    def end(self) -> None:
        if self._next is not None:
            _log.warning("the broker %s answers again", self._url)


class Amqp(AMQP):
    """Celery's, with our connections."""

    Connection = Connection


class Beat(AnyBeat):
    """Celery's, but on SIGTERM it first leaves what it is at, and closes its connection then."""

    def install_sync_handler(self, service: object) -> None:  # noqa: ARG002 - the signature is Celery's
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        signal.signal(signal.SIGINT, lambda *_: sys.exit())
        _log.info("sending ticks")


class Rounds(Scheduler):
    """Sends a round, one tick of each job, unless a whole round is waiting already: no backlog while nobody works.

    It keeps nothing on disk. Whether a round waits is asked of the queue itself, which both brokers can say; messages
    that expire in the queue are RabbitMQ's alone, and there they would land among the parked ones.
    """

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        alive.send(self)
        try:
            if self._waiting(producer) < len(entry.args):
                for job in entry.args:
                    self.send_task(entry.task, (job,), producer=producer, **entry.options)
                self.count("sent")
        except Exception as problem:  # noqa: BLE001 - whatever it is, beat goes on
            _log.warning("a round of ticks was not sent (%s); the next one is due soon", type(problem).__name__)
            self.count("failed")
            self.close()  # the next one connects anew

    def count(self, result: str) -> None:
        """Take note of a round; nobody does, unless asked to."""

    def _waiting(self, producer: Any) -> int:
        queue = self.app.amqp.queues[QUEUE]
        return int(queue(producer.channel).queue_declare().message_count)

    def close(self) -> None:
        connection = vars(self).get("connection")
        if connection is not None:
            connection.collect()  # without a farewell, which a broker that hangs would let us wait for
        super().close()


class Steps(AnyConsumer.Blueprint):
    """What a worker does once it is connected: all that Celery does, but for the queues of what is due later."""

    default_steps = tuple(step for step in AnyConsumer.Blueprint.default_steps if "delayed_delivery" not in step)


class Consumer(AnyConsumer):
    """Celery's, with our steps."""

    Blueprint = Steps

    def call_soon_ack(self, p: Any, logger: object, errors: object, *more: object) -> Any:
        """As in Celery, but a connection that breaks at an acknowledgement is lost.

        Celery logs that and goes on, and never takes another message from a Redis: one is still unacknowledged, and
        no more than one may be.
        """
        now = self.task_consumer and self.task_consumer.channel
        return super().call_soon_ack(p, logger, () if p.__self__.channel is now else errors, *more)

    def on_ready(self) -> None:
        super().on_ready()
        _log.info("taking ticks")

    def stop(self) -> None:
        """As in Celery, but a RabbitMQ that hangs is not waited for: to its farewells nobody sets a limit."""
        connection = self.connection
        if connection is not None and connection.connected and connection.transport.driver_type == "amqp":
            threading.Thread(target=_end_if_silent, args=(connection, connection.connection.sock), daemon=True).start()
        super().stop()


def _end_if_silent(connection: Any, sock: socket.socket) -> None:
    """Break a connection once its broker does not let anybody in; what was to be said on it is then over."""
    while broker_answers(connection.as_uri(include_password=True)):
        time.sleep(_PAUSE)
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class Parking(bootsteps.StartStopStep):
    """Makes the queue for ticks that kill their process. On Redis nobody counts deliveries, and there is none."""

    requires = (Connected,)

    def start(self, consumer: Any) -> None:
        if consumer.connection.transport.driver_type == "amqp":
            Queue(PARKED, queue_arguments={"x-queue-type": "quorum"})(consumer.connection.default_channel).declare()


class Pulse(bootsteps.StartStopStep):
    """Has the loop that takes ticks say every few seconds that it goes round."""

    requires = (Connected,)

    def start(self, consumer: Any) -> None:
        self.obj = consumer.timer.call_repeatedly(TICK, alive.send, (consumer,))

    def stop(self, consumer: Any) -> None:
        if self.obj is not None:
            consumer.timer.cancel(self.obj)


def _settings(url: str, jobs: tuple[str, ...]) -> dict[str, Any]:
    return {
        "broker_read_url": url,  # not broker_url, before which CELERY_BROKER_URL in the environment would go
        "broker_write_url": url,
        "broker_use_ssl": _tls(url),
        "broker_transport_options": _RABBITMQ if _is_rabbitmq(url) else _REDIS,
        "broker_connection_timeout": _PATIENCE,
        "broker_connection_max_retries": None,
        "broker_connection_retry_on_startup": True,
        "broker_heartbeat": _HEARTBEAT,
        "broker_heartbeat_checkrate": _HEARTBEAT,  # each second: what a worker gives back waits until it wakes up
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": _LONGEST,
        "task_queues": [Queue(QUEUE, queue_arguments=_ARGUMENTS if _is_rabbitmq(url) else None)],
        "task_default_queue": QUEUE,
        "task_create_missing_queues": False,
        "result_expires": None,
        "worker_consumer": f"{__name__}:Consumer",
        "worker_prefetch_multiplier": 1,
        "worker_enable_remote_control": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "beat_scheduler": f"{__name__}:Rounds",
        "beat_max_loop_interval": TICK,
        "beat_schedule": {
            "round": {
                "task": "tracker.tick",
                "schedule": TICK,
                "last_run_at": datetime.min.replace(tzinfo=UTC),  # so the first is due at once
                "args": jobs,
                "options": {"expires": _EXPIRY, "retry": False, "confirm_timeout": _PATIENCE},
            }
        },
    }


_ARGUMENTS = {
    "x-queue-type": "quorum",
    "x-delivery-limit": DELIVERIES - 1,  # it counts those after the first
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": PARKED,
}
_RABBITMQ = {"confirm_publish": True}
_REDIS = {
    "visibility_timeout": UNACKNOWLEDGED,
    "priority_steps": [0],
    "socket_connect_timeout": _PATIENCE,
    "socket_timeout": 2 * _PATIENCE,
    "socket_keepalive": True,
}


def _is_rabbitmq(url: str) -> bool:
    return url.startswith("amqp")


def _tls(url: str) -> dict[str, Any] | None:
    """What makes both libraries check the broker's certificate, which by themselves they do not (kombu, rediss)."""
    if url.startswith("amqps:"):
        return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}  # None: that of the URL
    if url.startswith("rediss:"):
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return None


def _leave_logging_alone(**_: object) -> None:
    """Keep Celery from setting logging up: the command line has done it."""
    logging.getLogger("py.warnings").setLevel(logging.ERROR)  # Celery's advice, repeated at each lost connection


signals.setup_logging.connect(_leave_logging_alone)
