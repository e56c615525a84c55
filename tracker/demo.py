"""Something to look at: two people, three projects, some sixty tasks, as if they had used this for three weeks.

Everything is committed as everybody commits, in the order of time; dates stand relative to the day it is made.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker.api.representations import calendar_address_json
from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.clock import now, to_milliseconds
from tracker.domain.identity import new_id
from tracker.domain.project import Membership, Project, ProjectRole
from tracker.domain.registration import new_account
from tracker.domain.session import Session
from tracker.domain.task import Due, Priority, Status, Task
from tracker.domain.user import Role, User

if TYPE_CHECKING:
    from tracker.domain.session import Tokens
    from tracker.domain.user import Passwords
    from tracker.store.contract import Store

PASSWORD = "correct horse battery"  # noqa: S105 - of the demo, and printed when it starts
DAYS = 21
PEOPLE = {"ann": Role.ADMIN, "ben": Role.MEMBER}
PROJECTS = {
    "Kitchen": ("A new kitchen before the winter.", {"ann": ProjectRole.OWNER, "ben": ProjectRole.EDITOR}),
    "Website": (
        "The new site, without losing a single old link.",
        {"ben": ProjectRole.OWNER, "ann": ProjectRole.EDITOR},
    ),
    "Autumn fair": ("One day, forty stalls, no rain.", {"ann": ProjectRole.OWNER, "ben": ProjectRole.VIEWER}),
}

# title | status | priority | due: day from today, time, zone | assignee | labels
TASKS = {
    "Kitchen": """
Measure every wall twice | done | high | -18 | ann | planning
Find out which walls carry | done | urgent | -16 | ben | planning
Get three offers for the cabinets | done | medium | -12 | ann | planning money
Decide on gas or induction | done | high | -10 | ann | planning
Ask the neighbours about the noise | done | low | -9 | ben | neighbours
Order the cabinets | done | high | -7 | ann | money
Cancel the second offer | cancelled | low | | ann | money
Turn the water off and tell everybody | done | urgent | -4 08:00 Europe/Berlin | ben | site
Take the old tiles off | done | medium | -3 | ben | site
Have the wiring checked | in_progress | urgent | +0 16:30 Europe/Berlin | ann | site electricity
Second circuit for the oven | blocked | high | +2 | ann | electricity
Choose the worktop | in_progress | medium | +3 | ann | planning
Return the wrong hinges | todo | low | -1 | ben | money
Book the plumber | todo | high | +1 09:00 Europe/Berlin | ben | site
Rent a skip for the rubble | todo | medium | +4 | ben | site
Paint the ceiling | todo | low | +9 | | site
Lay the floor | todo | medium | +12 | ben | site
Fit the cabinets | todo | high | +15 | ann | site
Find a home for the old stove | todo | none | | | neighbours
Pay the last third of the cabinets | todo | medium | +21 | ann | money
Invite everybody who helped | todo | none | +30 19:00 Europe/Berlin | ann | neighbours
""",
    "Website": """
List every page of the old site | done | high | -17 | ben | content
Agree on what a visitor wants first | done | high | -15 | ben | design
Sketch the start page on paper | done | medium | -13 | ann | design
Choose two typefaces | done | low | -11 | ben | design
Set up the preview server | done | medium | -10 | ben | server
Redirect map for 214 old links | in_progress | high | +2 | ben | content server
Rewrite the page about us | in_progress | medium | +1 12:00 Europe/London | ann | content
Photographs of the workshop | blocked | medium | +5 | ann | content
Contact form without tracking | done | medium | -5 | ben | server privacy
Drop the newsletter pop-up | cancelled | none | | ben | design privacy
Test with a screen reader | todo | high | +6 | ben | accessibility
Contrast of the grey buttons | done | medium | -2 | ben | accessibility design
Keyboard trap in the menu | in_progress | urgent | -1 | ben | accessibility
Search that finds umlauts | todo | medium | +8 | ben | content
Images under 200 kB each | todo | low | +7 | ben | speed
Answer in under 300 ms from abroad | todo | medium | +10 | ben | speed server
Renew the certificate | todo | urgent | +3 10:00 UTC | ben | server
Back up before the switch | todo | high | +13 | ben | server
Switch the name servers | todo | urgent | +14 06:00 Europe/London | ben | server
Look at the logs the day after | todo | medium | +15 | ben | server
""",
    "Autumn fair": """
Ask for the town square | done | urgent | -19 | ann | permits
Permit for amplified music | in_progress | high | +2 11:00 Europe/Vienna | ann | permits music
Invite last year's stallholders | done | high | -14 | ann | stalls
Plan of the stalls, with fire lanes | done | high | -8 | ann | stalls permits
Vegetarian food at three stalls or more | in_progress | medium | +6 | ann | stalls food
Find someone for roasted chestnuts | todo | medium | +5 | ann | stalls food
Insurance for the day | done | urgent | -6 | ann | permits money
Tent for the children | blocked | medium | +9 | ann | children
Clown has cancelled; find another | in_progress | high | +4 | ann | children
Poster, two colours | done | low | -3 | ann | posters
Hang the posters | todo | medium | +1 | ann | posters
Fireworks | cancelled | none | | ann | permits
Toilets for four hundred | todo | high | +11 | ann | site
Cables and a spare generator | todo | medium | +16 | ann | site electricity
First-aid post | todo | urgent | +12 | ann | site
Rota of helpers | todo | high | +13 18:00 Europe/Vienna | ann | helpers
Cups with a deposit | todo | low | +10 | ann | food money
What to do if it rains | todo | medium | +14 | ann | site
Thank the helpers | todo | none | +28 | ann | helpers
""",
}


@dataclass(frozen=True)
class Demo:
    """What was made, and how to get in: ``logins`` are (username, password, role), the rest is the first one's.

    ``calendar`` is the path of a calendar that needs no token.
    """

    projects: int
    tasks: int
    logins: tuple[tuple[str, str, Role], ...]
    token: str
    calendar: str


@dataclass(frozen=True)
class _Scene:
    project_id: str
    owner: User
    people: dict[str, User]
    today: dt.datetime


def seed(store: Store, passwords: Passwords, tokens: Tokens) -> Demo:
    """Fill an empty store."""
    today = now()
    start = today - dt.timedelta(days=DAYS)
    people = {name: _person(store, name, role, passwords, at=start) for name, role in PEOPLE.items()}
    scenes = {
        name: _Scene(_project(store, name, people, at=start), _owner(name, people), people, today) for name in TASKS
    }
    tasks = sum(_fill(store, scene, TASKS[name]) for name, scene in scenes.items())
    logins = tuple((name, PASSWORD, role) for name, role in PEOPLE.items())
    ann = people["ann"]
    return Demo(len(scenes), tasks, logins, _token(store, ann, tokens), _calendar(store, ann))


def _person(store: Store, name: str, role: Role, passwords: Passwords, *, at: dt.datetime) -> User:
    hashed = passwords.hash(PASSWORD)
    user, changes = new_account(username=name, email=f"{name}@example.com", role=role, password_hash=hashed, at=at)
    store.commit(ChangeSet(new_id(), user.id, at, changes))
    return user


def _project(store: Store, name: str, people: dict[str, User], *, at: dt.datetime) -> str:
    description, roles = PROJECTS[name]
    project = Project.new(name, at=at, description=description)
    members = [Membership(project.id, people[who].id, role, at) for who, role in roles.items()]
    changes = (Change(None, project), *(Change(None, member) for member in members))
    store.commit(ChangeSet(new_id(), _owner(name, people).id, at, changes))
    return project.id


def _owner(name: str, people: dict[str, User]) -> User:
    return next(people[who] for who, role in PROJECTS[name][1].items() if role is ProjectRole.OWNER)


def _fill(store: Store, scene: _Scene, table: str) -> int:
    rows = [row for row in table.splitlines() if row]
    pace = dt.timedelta(days=DAYS) / (len(rows) + 1)
    for n, row in enumerate(rows):
        _live(store, row, scene, scene.today - pace * (len(rows) - n))
    return len(rows)


def _live(store: Store, row: str, scene: _Scene, at: dt.datetime) -> None:
    """Write a task down, and move it half way between then and today if it has moved since."""
    task, status = _task(row, scene, to_milliseconds(at)), Status(row.split("|")[1].strip())
    receipt = store.commit(ChangeSet(new_id(), task.created_by, task.created_at, (Change(None, task),)))
    kept = receipt.arrived[task.id]
    assert isinstance(kept, Task)  # noqa: S101 - what was created is what is kept
    if status is not kept.status:
        moved = kept.changed(at=to_milliseconds(at + (scene.today - at) / 2), status=status)
        store.commit(ChangeSet(new_id(), kept.created_by, moved.updated_at, (Change(kept, moved),)))


def _task(row: str, scene: _Scene, at: dt.datetime) -> Task:
    title, _, priority, due, assignee, labels = (part.strip() for part in row.split("|"))
    return Task.new(
        project_id=scene.project_id,
        by=scene.owner.id,
        at=at,
        title=title,
        priority=Priority(priority),
        due=_due(due, scene.today.date()),
        assignee_id=scene.people[assignee].id if assignee else None,
        labels=tuple(labels.split()),
    )


def _due(text: str, today: dt.date) -> Due | None:
    if not text:
        return None
    days, *rest = text.split()
    time, zone = rest or (None, None)
    return Due(today + dt.timedelta(days=int(days)), dt.time.fromisoformat(time) if time else None, zone)


def _calendar(store: Store, user: User) -> str:
    at = now()
    feed, token = CalendarFeed.issue(user.id, at=at)
    store.commit(ChangeSet(new_id(), user.id, at, (Change(None, feed),)))
    return str(calendar_address_json(feed, token)["path"])


def _token(store: Store, user: User, tokens: Tokens) -> str:
    at = now()
    session = Session.new(user, at=at)
    store.commit(ChangeSet(new_id(), user.id, at, (Change(None, session),)))
    return tokens.issue(user, session, at=at)
