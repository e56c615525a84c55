"""What becomes of a commit that nobody carries on any more: it is carried out where it was sealed, else taken back.

Only a server without transactions leaves one behind. Its journal is what it wrote first: entries of the log at heads
that are not there yet, and its claim. Each names the commit, and what the commit's last say was to be (``seal``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tracker.store.mongo.collections import In
from tracker.store.mongo.documents import log_entry_of, place_in_log
from tracker.store.mongo.finish import finish
from tracker.store.mongo.log import heads_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracker.store.mongo.access import Access
    from tracker.store.mongo.documents import Document

Created = list[list[str]]
"""Where something new is that is in no project, and its id."""


_AT_ONCE = 1000


def mend(access: Access, *, patience: float, a_change: float) -> None:
    """Settle whatever was left behind: what stands as it stood for so long, and as much longer as it has changes."""
    held, claims = list(_held(access)), access.find(In.CLAIMS, {"open": {"$eq": True}})
    changes = [entry["journal"]["changes"] for entry in held] + [claim["changes"] for claim in claims]
    if changes:
        time.sleep(patience + max(changes) * a_change)
    still_open = {claim["by"]: claim for claim in access.find(In.CLAIMS, {"open": {"$eq": True}})}
    for claim in claims:
        if claim["by"] in still_open:
            settle_claim(access, still_open[claim["by"]])
    still_held = {(entry["_id"], entry["commit"]) for entry in held}
    for entry in _held(access):
        if (entry["_id"], entry["commit"]) in still_held:
            settle(access, entry)


def _held(access: Access) -> Iterator[Document]:
    """Yield the first entry of each commit at a head that its project has not come to."""
    place = ""
    while found := access.find(
        In.PROJECTS, {"_id": {"$gt": place}}, fields=["head"], sort=[("_id", 1)], limit=_AT_ONCE
    ):
        next_heads = [place_in_log(project["_id"], project["head"] + 1, 1)["_id"] for project in found]
        yield from access.find(In.LOG, {"_id": {"$in": next_heads}})
        place = found[-1]["_id"]


def settle(access: Access, held: Document) -> None:
    """Carry out or take back the commit that left an entry behind at a head that its project never came to."""
    journal: Document = held["journal"]
    left = _left_by(access, held["operation_id"], held["commit"])
    if _is_whole(left, journal["parts"]) and _is_sealed(access, held["commit"], journal["seal"]):
        _carry_out(access, held["operation_id"], held["commit"], left)
    else:
        take_back(access, held["operation_id"], held["commit"], journal["created"])


def settle_claim(access: Access, claim: Document) -> None:
    """Do the same for the commit that left a claim open: with an answer it was sealed; without one the claim goes."""
    operation_id, commit = claim["operation_id"], claim["by"]
    if claim["answer"] is None:
        take_back(access, operation_id, commit, claim["created"])
        access.deleted(In.CLAIMS, {"_id": {"$eq": claim["_id"]}, "by": {"$eq": commit}})
    else:
        _carry_out(access, operation_id, commit, _left_by(access, operation_id, commit))
        access.update(In.CLAIMS, {"_id": {"$eq": claim["_id"]}, "by": {"$eq": commit}}, {"$set": {"open": False}})


def take_back(access: Access, operation_id: str, commit: str, created: Created) -> None:
    """Have nothing of a commit be there; its places in the logs go last, so that nobody comes in between."""
    for where, id_ in reversed(created):
        access.deleted(In(where), {"_id": {"$eq": id_}, "by": {"$eq": commit}})
    access.delete(In.LOG, of_commit(operation_id, commit))


def of_commit(operation_id: str, commit: str) -> dict[str, Any]:
    """Return what finds the entries of a commit: there are few of its operation."""
    return {"operation_id": {"$eq": operation_id}, "commit": {"$eq": commit}}


def _left_by(access: Access, operation_id: str, commit: str) -> list[Document]:
    return access.find(In.LOG, of_commit(operation_id, commit), sort=[("project_id", 1), ("n", 1)])


def _carry_out(access: Access, operation_id: str, commit: str, left: Iterable[Document]) -> None:
    told = [entry for entry in left if entry["entity"] is not None]
    heads = heads_of(access, {entry["project_id"] for entry in told})
    # Where a head has moved on, all that is of that project was written, and may have been changed since.
    finish(access, [log_entry_of(entry) for entry in told if entry["head"] > heads.get(entry["project_id"], 0)])
    access.delete(In.LOG, {**of_commit(operation_id, commit), "entity": {"$eq": None}})


def _is_whole(left: Sequence[Document], parts: Sequence[Sequence[Any]] | None) -> bool:
    """Whether every entry is there that was to be."""
    told = [entry["project_id"] for entry in left if entry["entity"] is not None]
    return parts is not None and all(told.count(project_id) == count for project_id, count in parts)


def _is_sealed(access: Access, commit: str, seal: Sequence[str] | None) -> bool:
    """Whether the last was written of what is in no project: an answer, something kept, or something gone."""
    if seal is None:
        return True
    where, id_, how = seal
    found = access.one(In(where), {"_id": {"$eq": id_}})
    if how == "gone":
        return found is None
    return found is not None and found["by"] == commit and (how == "kept" or found["answer"] is not None)
