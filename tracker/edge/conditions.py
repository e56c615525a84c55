"""If-Match and If-None-Match (RFC 9110, section 13), and the ETags they are compared with."""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import TYPE_CHECKING

from tracker.edge.problems import PreconditionFailed, PreconditionRequired

if TYPE_CHECKING:
    from datetime import datetime

    from tracker.api.reply import Body, Text
    from tracker.domain.changes import Change
    from tracker.edge.call import Call

_TAG = re.compile(r'"([!#-~]*)"')
_ANY = "*"


def tag_of(body: Body | Text, encoded: bytes) -> str:
    """Return the ETag of an answer: its version where it has one, else a digest of its bytes.

    Some of it changes without a new version: that a task is overdue, and what the reader is in a project, stand in the
    ETag too.
    """
    if not isinstance(body, dict) or "version" not in body:
        return f'"{hashlib.sha256(encoded).hexdigest()[:32]}"'
    besides = "overdue" if body.get("overdue") else body.get("your_role")
    return f'"{body["version"]}-{besides}"' if besides else f'"{body["version"]}"'


def tag_of_list(call: Call, state: str, until: datetime | None) -> str:
    """Return the ETag of a list in a state; ``until`` is when time alone makes another answer of it."""
    name = _name_of_list(call, state)
    return f'"{name}"' if until is None else f'"{name}.{until.timestamp():.0f}"'


def tag_still_good(call: Call, state: str, at: datetime) -> str | None:
    """Return the tag by which somebody has a list that is as they have it, or None.

    It was given to who asked for this list and nothing else, in this state: it would be answered again.
    """
    if "if-none-match" not in call.headers:
        return None
    name = _name_of_list(call, state)
    for tag in _tags(call.headers["if-none-match"]):
        before, _, until = tag.partition(f"{name}.")
        if tag == name or (not before and until.isdecimal() and at.timestamp() < int(until[:15])):
            return f'"{tag}"'
    return None


def _name_of_list(call: Call, state: str) -> str:
    asked = call.path.encode("utf-8", "surrogatepass"), call.query
    return f"{zlib.crc32(b'?'.join(asked)):08x}.{state}"


def has_already(call: Call, tag: str) -> bool:
    """Whether somebody has what a tag names."""
    asked = call.headers.get("if-none-match")
    return asked is not None and (asked.strip() == _ANY or tag.strip('"') in _tags(asked))


def check_match(call: Call, change: Change | None) -> None:
    """Raise PreconditionFailed where If-Match names another version than what is about to change has."""
    asked = call.headers.get("if-match")
    if asked is None or asked.strip() == _ANY:
        return
    before = change.before if change else None
    versions = {tag.partition("-")[0] for tag in _tags(asked, weak=False)}
    if before is None or str(before.version) not in versions:
        raise PreconditionFailed


def check_given(call: Call) -> None:
    """Raise PreconditionRequired where there is no If-Match."""
    if "if-match" not in call.headers:
        raise PreconditionRequired


def _tags(header: str, *, weak: bool = True) -> list[str]:
    """Return the tags of a list of them; a weak one never says that two things are the same byte by byte."""
    return [found.group(1) for found in _TAG.finditer(header) if weak or not header[: found.start()].endswith("W/")]
