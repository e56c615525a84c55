"""The collections as one session sees them: the few things that are done to them, each one round trip."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from pymongo.errors import PyMongoError

from tracker.store.mongo.errors import is_duplicate, refusing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pymongo import DeleteOne, ReplaceOne, UpdateOne
    from pymongo.client_session import ClientSession
    from pymongo.collection import Collection

    from tracker.store.mongo.collections import In
    from tracker.store.mongo.connection import Connection
    from tracker.store.mongo.documents import Document

    Sort = Sequence[tuple[str, int]]
    Fields = Sequence[str] | Mapping[str, bool]


class Access:
    """All of them. What the driver raises in a session is left to that: it tells a transaction to begin again."""

    def __init__(self, connection: Connection, session: ClientSession | None = None) -> None:
        """Everything goes through this session, if there is one."""
        self._connection = connection
        self._session = session

    def find(
        self,
        where: In,
        which: Document,
        *,
        fields: Fields | None = None,
        sort: Sort | None = None,
        limit: int = 0,
    ) -> list[Document]:
        """Return documents, whole or some of their fields."""
        with self._said_plainly():
            found = self._of(where).find(which, fields, session=self._session, limit=limit, sort=sort)
            return list(found)

    def stream(self, where: In, which: Document, *, sort: Sort, at_once: int) -> Iterator[Document]:
        """Yield documents, so many of which are in memory at the same time."""
        with self._said_plainly():
            yield from self._of(where).find(which, session=self._session, sort=sort, batch_size=at_once)

    def about(self, where: In) -> int:
        """Return about how many documents there are."""
        with self._said_plainly():
            return self._of(where).estimated_document_count()

    def one(self, where: In, which: Document, *, fields: Fields | None = None) -> Document | None:
        """Return one document, if there is one."""
        return next(iter(self.find(where, which, fields=fields, limit=1)), None)

    def made(self, where: In, pipeline: Sequence[Document]) -> list[Document]:
        """Return what a pipeline makes of a collection."""
        with self._said_plainly():
            return list(self._of(where).aggregate(pipeline, session=self._session))

    def insert(self, where: In, documents: Sequence[Document]) -> None:
        """Add documents."""
        if len(documents) == 1:
            self._of(where).insert_one(documents[0], session=self._session)
        elif documents:
            self._of(where).insert_many(documents, session=self._session)

    def add(self, where: In, documents: Sequence[Document]) -> None:
        """Add those documents that are not there yet. In a session they are all new, or somebody was first."""
        try:
            if documents:
                self._of(where).insert_many(documents, ordered=False, session=self._session)
        except PyMongoError as error:
            if self._session is not None or not is_duplicate(error):
                raise

    def inserted(self, where: In, document: Document) -> bool:
        """Add a document; return whether no unique key stood in the way."""
        try:
            self.insert(where, [document])
        except PyMongoError as error:
            if is_duplicate(error):
                return False
            raise
        return True

    def update(self, where: In, which: Document, change: Document) -> bool:
        """Change one document; return whether there was one."""
        return bool(self._of(where).update_one(which, change, session=self._session).matched_count)

    def replace(self, where: In, which: Document, document: Document) -> bool:
        """Put a document in the place of another; return whether there was one."""
        return bool(self._of(where).replace_one(which, document, session=self._session).matched_count)

    def update_all(self, where: In, which: Document, change: Document) -> None:
        """Change documents."""
        self._of(where).update_many(which, change, session=self._session)

    def delete(self, where: In, which: Document) -> int:
        """Delete documents; return how many there were."""
        return self._of(where).delete_many(which, session=self._session).deleted_count

    def deleted(self, where: In, which: Document) -> bool:
        """Delete one document; return whether there was one."""
        return bool(self._of(where).delete_one(which, session=self._session).deleted_count)

    def write(self, where: In, writes: Iterable[UpdateOne | ReplaceOne[Document] | DeleteOne]) -> None:
        """Make several writes in one collection."""
        if several := list(writes):
            self._of(where).bulk_write(several, session=self._session)

    def _of(self, where: In) -> Collection[Document]:
        return self._connection.database[where.value]

    def _said_plainly(self) -> AbstractContextManager[Any]:
        return refusing() if self._session is None else nullcontext()
