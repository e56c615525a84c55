"""``tracker jobs``: what happened by itself, and ``tracker jobs run``: what is to happen now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tracker import wiring
from tracker.cli import Refused
from tracker.cli.opening import load_settings, ready_store
from tracker.domain import clock
from tracker.domain.job import JobState

if TYPE_CHECKING:
    from datetime import datetime

    from tracker.domain.job import JobRun

_SHOWN = 5


@click.group(invoke_without_command=True)
@click.pass_context
def jobs(context: click.Context) -> None:
    """Show each job's last runs: when, how they ended, and how much they did."""
    if context.invoked_subcommand is not None:
        return
    settings = load_settings()
    with ready_store(settings) as store:
        for job in wiring.jobs(settings):
            click.echo(f"{job.name}, every {job.every}: {job.does}")
            lines = [_told(run, clock.now()) for run in store.job_runs(job.name, limit=_SHOWN)]
            click.echo("\n".join(f"  {line}" for line in lines or ["never ran yet"]))


@jobs.command()
@click.argument("name")
def run(name: str) -> None:
    """Run a job now, whenever it is due, and say what it did."""
    settings = load_settings()
    known = {job.name: job for job in wiring.jobs(settings)}
    if name not in known:
        raise Refused(f"there is no job {name!r}; there are {', '.join(known)}")
    with ready_store(settings) as store:
        done = wiring.job_runner(settings, store).run_now(name)
    click.echo(f"{name}: {known[name].does}: {done.done}")
    if done.failed or done.state is not JobState.FINISHED:
        raise Refused(f"not all was done ({_told(done, clock.now())}); the log says why")


def _told(run: JobRun, at: datetime) -> str:
    state = "lost" if run.state is JobState.RUNNING and at >= run.held_until else run.state.value
    parts = [f"{run.started_at:%Y-%m-%d %H:%M:%S}Z", state, f"{run.done} done"]
    if run.failed or run.problem:
        parts.append(f"{run.failed} failed ({run.problem})")
    return "  ".join(parts)
