"""A window of a job is run once, whoever asks for it, and what goes wrong in it holds up nothing else."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.jobs.shift import MINUTE, Shift, a_job
from tests.racing import at_once
from tracker.domain.changes import Change
from tracker.domain.job import HOLD, MOST_TRIES, JobRun, JobState, window_at
from tracker.domain.refusals import Contended, Unavailable
from tracker.jobs.work import BUDGET, TakenOver, Work

if TYPE_CHECKING:
    from tests.world import Person, World
    from tracker.domain.project import Project

SCHEDULERS = 5
WINDOWS = 20


class Broken(Exception):
    """What a job raises in these tests."""


def break_down(_work: Work) -> None:
    raise Broken


def latest(shift: Shift) -> JobRun:
    return shift.store.job_runs("try", limit=1)[0]


def test_five_schedulers_run_each_of_twenty_windows_once(shift: Shift) -> None:
    ran: list[object] = []
    schedulers = [shift.runner(a_job(lambda work: ran.append(work.run.window))) for _ in range(SCHEDULERS)]
    for _ in range(WINDOWS):
        at_once(SCHEDULERS, lambda n: schedulers[n].tick("try"))
        shift.clock.advance(minutes=1)

    assert len(ran) == len(set(ran)) == WINDOWS
    assert len(shift.store.job_runs("try", limit=100)) == WINDOWS


def test_many_ticks_in_one_window_are_one_run(shift: Shift) -> None:
    ran: list[Work] = []
    for _ in range(3):
        for runner in (shift.runner(a_job(ran.append)), shift.runner(a_job(ran.append))):
            runner.tick("try")
        shift.clock.advance(seconds=10)

    assert len(ran) == 1


def test_windows_that_were_missed_are_caught_up_once(shift: Shift) -> None:
    ran: list[Work] = []
    runner = shift.runner(a_job(ran.append))
    runner.tick("try")
    shift.clock.advance(hours=7)
    for _ in range(5):
        runner.tick("try")
        shift.clock.advance(seconds=1)

    assert [work.run.window for work in ran] == [window_at(work.run.started_at, MINUTE) for work in ran]
    assert len(ran) == 2


def test_a_job_that_is_idle_leaves_no_run(shift: Shift) -> None:
    shift.runner(a_job(break_down, idle=lambda _store: True)).tick("try")

    assert shift.store.job_runs("try") == []


def test_a_run_says_when_it_was_and_what_it_did(shift: Shift, world: World, kitchen: Project) -> None:
    task = shift.task(kitchen)
    shift.runner(a_job(lambda work: work.step("here", lambda: [Change(task, task.archived(at=work.clock()))]))).tick(
        "try"
    )

    run = latest(shift)
    assert (run.state, run.done, run.failed, run.position) == (JobState.FINISHED, 1, 0, "here")
    assert run.started_at == run.finished_at == world.clock()


def test_a_run_whose_process_died_is_taken_over_where_its_last_step_ended(shift: Shift, kitchen: Project) -> None:
    tasks = [shift.task(kitchen) for _ in range(2)]

    def die_after_a_step(work: Work) -> None:
        work.step("1", lambda: [Change(tasks[0], tasks[0].archived(at=work.clock()))])
        raise SystemExit  # as a process that is killed: nothing is noted any more

    began_at: list[str] = []
    with pytest.raises(SystemExit):
        shift.runner(a_job(die_after_a_step)).tick("try")
    survivor = shift.runner(a_job(lambda work: began_at.append(work.run.position)))
    survivor.tick("try")
    assert began_at == []
    shift.clock.advance(seconds=HOLD.seconds)
    survivor.tick("try")

    assert began_at == ["1"]
    assert shift.now(tasks[0]).archived_at
    assert latest(shift).state is JobState.FINISHED


def test_who_has_lost_a_window_changes_nothing_any_more(shift: Shift, kitchen: Project) -> None:
    task = shift.task(kitchen)

    def freeze(work: Work) -> None:
        shift.clock.advance(seconds=HOLD.seconds)
        shift.runner(a_job(lambda _work: None)).tick("try")
        work.step("late", lambda: [Change(task, task.archived(at=work.clock()))])

    shift.runner(a_job(freeze)).tick("try")

    assert shift.now(task) == task
    assert latest(shift).done == 0
    assert latest(shift).state is JobState.FINISHED


def test_a_step_that_was_decided_before_the_window_was_lost_is_not_committed(shift: Shift, kitchen: Project) -> None:
    task = shift.task(kitchen)

    def decide_for_long(work: Work) -> list[Change]:
        shift.clock.advance(seconds=HOLD.seconds)
        shift.runner(a_job(lambda _work: None)).tick("try")
        return [Change(task, task.archived(at=work.clock()))]

    shift.runner(a_job(lambda work: work.step("late", lambda: decide_for_long(work)))).tick("try")

    assert shift.now(task) == task


def test_what_fails_in_one_step_does_not_hold_up_the_next(
    shift: Shift, kitchen: Project, caplog: pytest.LogCaptureFixture
) -> None:
    task = shift.task(kitchen)

    def stumble() -> list[Change]:
        raise Broken

    def two_steps(work: Work) -> None:
        assert work.step("1", stumble) == 0
        assert work.step("2", lambda: [Change(task, task.archived(at=work.clock()))]) == 1

    shift.runner(a_job(two_steps)).tick("try")

    run = latest(shift)
    assert (run.state, run.done, run.failed, run.problem) == (JobState.FINISHED, 1, 1, "Broken")
    assert "failed at 1" in caplog.text


def test_a_step_at_which_others_are_always_first_is_left_to_the_next_run_and_is_no_bug(
    shift: Shift, caplog: pytest.LogCaptureFixture
) -> None:
    def lose() -> list[Change]:
        raise Contended

    def one_step(work: Work) -> None:
        assert work.step("1", lose) == 0

    shift.runner(a_job(one_step)).tick("try")

    run = latest(shift)
    assert (run.state, run.position, run.failed, run.problem) == (JobState.FINISHED, "1", 1, "Contended")
    assert "others were always first at 1" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_job_that_always_fails_is_parked_after_five_tries_and_the_others_go_on(
    shift: Shift, caplog: pytest.LogCaptureFixture
) -> None:
    healthy: list[Work] = []
    runner = shift.runner(a_job(break_down, every=timedelta(hours=1)), a_job(healthy.append, name="other"))
    tries = 0
    for _ in range(120):
        try:
            runner.tick("try")
        except Broken:
            tries += 1
        runner.tick("other")
        shift.clock.advance(seconds=1)

    assert tries == MOST_TRIES
    assert latest(shift).state is JobState.PARKED
    assert latest(shift).problem == "Broken"
    assert len(healthy) == 2
    assert "parked after 5 tries" in caplog.text


def test_a_job_whose_process_always_dies_is_parked_too(shift: Shift) -> None:
    def die(_work: Work) -> None:
        raise SystemExit

    deaths = 0
    for _ in range(120):
        try:
            shift.runner(a_job(die, every=timedelta(hours=1))).tick("try")
        except SystemExit:
            deaths += 1
        shift.clock.advance(seconds=1)

    assert deaths == MOST_TRIES
    assert latest(shift).state is JobState.PARKED


def test_a_parked_window_is_not_the_end_of_the_job(shift: Shift) -> None:
    failing = True

    def fail_for_an_hour(_work: Work) -> None:
        if failing:
            raise Broken

    runner = shift.runner(a_job(fail_for_an_hour, every=timedelta(hours=1)))
    while not (runs := shift.store.job_runs("try")) or runs[0].state is not JobState.PARKED:
        with suppress(Broken):
            runner.tick("try")
        shift.clock.advance(seconds=1)
    failing = False
    runner.tick("try")
    assert latest(shift).state is JobState.PARKED
    shift.clock.advance(hours=1)
    runner.tick("try")

    assert latest(shift).state is JobState.FINISHED


def test_tries_that_get_somewhere_are_not_counted(shift: Shift, kitchen: Project) -> None:
    tasks = [shift.task(kitchen) for _ in range(MOST_TRIES * 2)]

    def one_step_and_die(work: Work) -> None:
        if tasks:
            task = tasks.pop()
            work.step("on", lambda: [Change(task, task.archived(at=work.clock()))])
            raise SystemExit

    while tasks:
        with pytest.raises(SystemExit):
            shift.runner(a_job(one_step_and_die, every=timedelta(days=1))).tick("try")
        shift.clock.advance(seconds=HOLD.seconds)
    shift.runner(a_job(one_step_and_die, every=timedelta(days=1))).tick("try")

    assert latest(shift).state is JobState.FINISHED
    assert latest(shift).done == MOST_TRIES * 2


def test_who_runs_out_of_time_leaves_the_rest_to_whoever_comes_next(shift: Shift, kitchen: Project) -> None:
    tasks = [shift.task(kitchen) for _ in range(4)]

    def slowly(work: Work) -> None:
        while work.has_time() and tasks:
            task = tasks.pop()
            work.step(str(len(tasks)), lambda: [Change(task, task.archived(at=work.clock()))])  # noqa: B023 - decided at once
            shift.clock.advance(seconds=BUDGET.seconds / 2)

    runner = shift.runner(a_job(slowly, every=timedelta(days=1)))
    runner.tick("try")
    assert (latest(shift).state, latest(shift).done) == (JobState.WAITING, 2)
    for _ in range(3):
        runner.tick("try")

    assert (latest(shift).state, latest(shift).done) == (JobState.FINISHED, 4)


def test_who_is_told_to_stop_ends_after_the_step_it_is_at(shift: Shift) -> None:
    def stop_and_look(work: Work) -> None:
        runner.stop()
        assert not work.has_time()

    runner = shift.runner(a_job(stop_and_look))
    runner.tick("try")

    assert latest(shift).state is JobState.WAITING


def test_a_step_is_decided_again_where_somebody_was_first(shift: Shift, kitchen: Project) -> None:
    task = shift.task(kitchen)
    rivals = iter(["Water the roses"])

    def archived(work: Work) -> list[Change]:
        present = shift.now(task)
        for title in rivals:  # one strikes, once, between what we read and what we write
            shift.change(task, title=title)
        return [Change(present, present.archived(at=work.clock()))]

    shift.runner(a_job(lambda work: work.step("here", lambda: archived(work)))).tick("try")

    assert (shift.now(task).title, bool(shift.now(task).archived_at)) == ("Water the roses", True)
    assert latest(shift).failed == 0


def test_a_store_that_is_gone_ends_the_try(shift: Shift) -> None:
    def decide() -> list[Change]:
        raise Unavailable

    with pytest.raises(Unavailable):
        shift.runner(a_job(lambda work: work.step("here", decide))).tick("try")

    assert (latest(shift).state, latest(shift).problem) == (JobState.WAITING, "Unavailable")


def test_what_is_run_by_hand_does_not_wait_for_its_window(shift: Shift) -> None:
    ran: list[Work] = []
    runner = shift.runner(a_job(ran.append))
    runner.tick("try")
    shift.clock.advance(milliseconds=1)

    assert runner.run_now("try").state is JobState.FINISHED
    assert len(ran) == 2


def test_what_is_run_by_hand_twice_at_the_same_instant_runs_once(shift: Shift) -> None:
    runner = shift.runner(a_job(lambda _work: None))
    runner.run_now("try")

    with pytest.raises(TakenOver):
        runner.run_now("try")


def test_what_happens_by_itself_is_done_by_the_system(shift: Shift, ann: Person, kitchen: Project) -> None:
    shift.done_task(kitchen, created_by=ann.id)
    shift.run("archive", archive_done_after_days=0)

    assert shift.logged(kitchen, "task")[-1] == "system"
