"""The connection: one client a process, made where it is first used, and what kind of server answers."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.read_concern import ReadConcern

from tracker.domain.refusals import Unavailable
from tracker.store.mongo.errors import refusing
from tracker.store.mongo.listeners import listeners
from tracker.store.silence import Silence

if TYPE_CHECKING:
    from pymongo.database import Database

    from tracker.store.mongo.documents import Document
    from tracker.store.watch import Watch

SCHEMES = ("mongodb://", "mongodb+srv://")
IS_STANDALONE = (
    "This MongoDB is a standalone server, which has no transactions: start it with --replSet rs0 and run rs.initiate() "
    "on it once, and it is a replica set of one; or set MONGO_ALLOW_STANDALONE=true and read docs/stores.md first."
)
_PATIENCE: dict[str, Any] = {
    "serverSelectionTimeoutMS": 2000,
    "connectTimeoutMS": 2000,
    "socketTimeoutMS": 5000,
    "waitQueueTimeoutMS": 1000,
}
_ACKNOWLEDGED = WriteConcern("majority", j=True)
_COMMITTED = ReadConcern("majority")


class Connection:
    """One database of one deployment. Safe for threads, of which ``connections`` can be inside at once.

    A client does not survive a fork: whoever is born with one makes another.
    """

    def __init__(
        self, url: str, *, connections: int, database: str | None, allow_standalone: bool, watch: Watch | None = None
    ) -> None:
        """Nothing is connected yet; ValueError for the URL of anything else."""
        if not url.startswith(SCHEMES):
            raise ValueError("The database URL must begin with mongodb:// or mongodb+srv://.")
        self._url, self._connections, self._name = url, connections, database
        self._allow_standalone, self._watch = allow_standalone, watch
        self._making = threading.Lock()
        self._client: MongoClient[Document] | None = None
        self._of_process = 0
        self._transactional: bool | None = None
        self.silence = Silence()  # the driver's own timeouts end what waits already

    @property
    def client(self) -> MongoClient[Document]:
        """The client of this process."""
        client = self._client
        if client is not None and self._of_process == os.getpid():
            return client
        with self._making:
            if self._client is None or self._of_process != os.getpid():
                self._client, self._of_process = self._made(), os.getpid()
            return self._client

    def _made(self) -> MongoClient[Document]:
        with refusing():
            return MongoClient(
                self._url,
                maxPoolSize=self._connections,
                tz_aware=True,
                appname="tracker",
                event_listeners=listeners(self._watch, self._connections),
                **_PATIENCE,
            )

    @property
    def database(self) -> Database[Document]:
        """The database: it reads what a majority has, and its writes are on the disks of a majority."""
        self.silence.refuse()
        with refusing():
            return self.client.get_default_database(
                self._name,
                read_preference=ReadPreference.PRIMARY,
                write_concern=_ACKNOWLEDGED,
                read_concern=_COMMITTED,
            )

    @property
    def transactional(self) -> bool:
        """Whether the server has transactions; Unavailable where it has none, and that is not allowed."""
        if self._transactional is None:
            with refusing():
                self.client.admin.command("ping")
            self._transactional = "Standalone" not in self._kinds()
        if not (self._transactional or self._allow_standalone):
            raise Unavailable(IS_STANDALONE)
        return self._transactional

    def _kinds(self) -> set[Any]:
        return {server.server_type_name for server in self.client.topology_description.server_descriptions().values()}

    def close(self) -> None:
        """Close every connection, if any was made."""
        client, self._client = self._client, None
        if client is not None and self._of_process == os.getpid():
            client.close()
