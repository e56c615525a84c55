"""Whoever a change concerns gets a letter: one a run, in plain text, and never one that nobody wants to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.smtp import AuthResult

from tests.jobs.letters import HOST, Letterbox, mail_server, self_signed
from tracker.cli.server import free_port
from tracker.domain.project import ProjectRole
from tracker.domain.refusals import Unavailable
from tracker.domain.task import Due
from tracker.jobs.mail import MOST_LINES
from tracker.jobs.post import Smtp
from tracker.jobs.schedule import Policy, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.jobs.shift import Shift
    from tests.world import Person, World
    from tracker.domain.job import JobRun
    from tracker.domain.project import Project

SENDER = "Tracker <tracker@example.org>"


@pytest.fixture
def letterbox() -> Iterator[Letterbox]:
    with mail_server() as letterbox:
        yield letterbox


def send(shift: Shift, url: str) -> JobRun:
    return shift.run("mail", post=Smtp(url, SENDER))


def archived(shift: Shift, project: Project, count: int = 1, **members: Any) -> None:
    shift.done_tasks(project, count, **members)
    shift.run("archive", archive_done_after_days=0)


def test_there_is_one_letter_for_all_that_a_run_has_to_say_to_somebody(  # noqa: PLR0913, PLR0917 - fixtures
    shift: Shift, world: World, ann: Person, ben: Person, kitchen: Project, letterbox: Letterbox
) -> None:
    garden = world.project({ann: ProjectRole.OWNER})
    archived(shift, kitchen, 3, created_by=ann.id, assignee_id=ben.id, title="Lay the floor")
    shift.task(garden, created_by=ann.id, title="Water the plants", due=Due(shift.clock().date()))
    shift.run("remind")
    run = send(shift, letterbox.url)

    assert run.done == 2
    (to_ann,), (to_ben,) = letterbox.to("ann@example.com"), letterbox.to("ben@example.com")
    assert to_ann["Subject"] == "Tracker: 4 tasks"
    assert to_ann["From"] == SENDER
    assert to_ann.get_content_type() == "text/plain"
    text = to_ann.get_content().replace("\r\n", "\n")
    assert text.startswith("Hello ann,\n\nDue soon:\n  - Water the plants, due 2026-11-21\n\nArchived")
    assert text.count("  - Lay the floor\n") == 3
    assert "Water the plants" not in to_ben.get_content()


def test_what_was_said_is_not_said_again(shift: Shift, ann: Person, kitchen: Project, letterbox: Letterbox) -> None:
    archived(shift, kitchen, created_by=ann.id)
    send(shift, letterbox.url)
    assert send(shift, letterbox.url).done == 0
    archived(shift, kitchen, created_by=ann.id)
    send(shift, letterbox.url)

    assert len(letterbox.to("ann@example.com")) == 2


def test_without_news_the_mail_server_is_not_asked(shift: Shift) -> None:
    assert send(shift, f"smtp://{HOST}:{free_port(HOST)}").failed == 0


def test_while_the_mail_server_is_gone_nothing_is_lost(
    shift: Shift, ann: Person, kitchen: Project, letterbox: Letterbox
) -> None:
    archived(shift, kitchen, created_by=ann.id)
    with pytest.raises(Unavailable):
        send(shift, f"smtp://{HOST}:{free_port(HOST)}")
    send(shift, letterbox.url)

    assert len(letterbox.to("ann@example.com")) == 1


def test_one_address_that_takes_no_mail_does_not_keep_it_from_the_others(  # noqa: PLR0913, PLR0917 - fixtures
    shift: Shift,
    ann: Person,
    ben: Person,
    kitchen: Project,
    letterbox: Letterbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    letterbox.unknown.add("ann@example.com")
    archived(shift, kitchen, created_by=ann.id, assignee_id=ben.id)
    assert send(shift, letterbox.url).done == 1
    assert send(shift, letterbox.url).done == 0

    assert len(letterbox.letters) == len(letterbox.to("ben@example.com")) == 1
    assert ann.id in caplog.text
    assert "ann@example.com" not in caplog.text


def test_a_letter_that_is_sent_twice_says_so_by_its_id(
    shift: Shift, ann: Person, kitchen: Project, letterbox: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    archived(shift, kitchen, created_by=ann.id)

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr("tracker.jobs.work.Work.step", die)
        with pytest.raises(SystemExit):
            send(shift, letterbox.url)
    send(shift, letterbox.url)

    first, second = letterbox.to("ann@example.com")
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@example.org>")


def test_old_news_is_not_written_when_mail_is_turned_on(
    shift: Shift, ann: Person, kitchen: Project, letterbox: Letterbox
) -> None:
    archived(shift, kitchen, created_by=ann.id, title="Of last year")
    shift.clock.advance(days=2)
    archived(shift, kitchen, created_by=ann.id, title="Of today")
    send(shift, letterbox.url)

    (letter,) = letterbox.to("ann@example.com")
    assert "Of today" in letter.get_content()
    assert "Of last year" not in letter.get_content()


def test_what_somebody_wrote_makes_no_line_and_no_header_of_its_own(
    shift: Shift, ann: Person, kitchen: Project, letterbox: Letterbox
) -> None:
    archived(shift, kitchen, created_by=ann.id, title="Paint\r\n\r\nBcc: eve@example.com\x1b[2J\u2028Überdue: ☂")
    send(shift, letterbox.url)

    (letter,) = letterbox.letters
    lines = letter.get_content().splitlines()
    assert lines[-1] == "  - Paint    Bcc: eve@example.com [2J Überdue: ☂"
    assert letter["Bcc"] is None


def test_a_letter_has_an_end(shift: Shift, ann: Person, kitchen: Project, letterbox: Letterbox) -> None:
    archived(shift, kitchen, MOST_LINES + 7, created_by=ann.id)
    while shift.run("archive", archive_done_after_days=0).done:
        pass
    send(shift, letterbox.url)

    (letter,) = letterbox.letters
    assert letter.get_content().splitlines()[-1] == "  and 7 more"


def test_there_is_no_mail_without_a_mail_server() -> None:
    assert [job.name for job in table(Policy())] == ["archive", "remind", "notify", "purge"]


def test_a_password_is_given_to_this_machine_or_by_tls_and_to_nobody_else(
    shift: Shift, ann: Person, kitchen: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[bytes, bytes]] = []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _how: str, who: Any) -> AuthResult:
        given.append((who.login, who.password))
        return AuthResult(success=True)

    with mail_server(authenticator=authenticate, auth_require_tls=False) as letterbox:
        url = letterbox.url.replace("//", "//tracker:p%40ss@")
        archived(shift, kitchen, created_by=ann.id)
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr("tracker.jobs.post._is_here", lambda _host: False)
            with pytest.raises(Unavailable):
                send(shift, url)
        assert given == []
        send(shift, url)

    assert given == [(b"tracker", b"p@ss")]
    assert len(letterbox.letters) == 1


def test_a_certificate_that_nobody_vouches_for_is_not_spoken_to(
    shift: Shift, ann: Person, kitchen: Project, tmp_path: Path
) -> None:
    with mail_server(tls_context=self_signed(tmp_path), require_starttls=True) as letterbox:
        archived(shift, kitchen, created_by=ann.id)
        with pytest.raises(Unavailable):
            send(shift, letterbox.url)

    assert letterbox.letters == []
