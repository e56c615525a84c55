"""``tracker export`` and ``tracker import``: everything that is kept, out of one database and into another."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from tracker.cli import Refused
from tracker.cli.opening import load_settings, migrated_store, ready_store
from tracker.domain.identity import new_id
from tracker.edge.document import contract
from tracker.transfer import exporting, importing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PIPE = "-"


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
def export(file: str) -> None:
    """Write everything that is kept into FILE, - for the standard output.

    A line of JSON for each thing, in one order, and at the end its SHA-256: what is the same in two databases is the
    same file. It holds the hashes of passwords, and is as secret as the database. It is written whole or not at all.
    """
    with ready_store(load_settings()) as store, _whole_file(file) as out, _bar(store.count_kept()) as seen:
        version = str(contract().root["info"]["version"])
        summary = exporting.export(store, out.write, contract_version=version, seen=seen)
    click.echo(f"{summary.total} lines are exported, sha256 {summary.sha256}", err=file == _PIPE)


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
def import_(file: str) -> None:
    """Read FILE, which an export has written, into an empty database; - for the standard input.

    All of it or nothing. Nobody is logged in afterwards; everything else goes on where it was.
    """
    with migrated_store(load_settings()) as store, _opened(file) as lines, _bar(_size(lines)) as seen:
        summary = importing.restore(store, lines, seen=seen)
    click.echo(f"{summary.total} lines are imported, sha256 {summary.sha256}")


@contextmanager
def _whole_file(file: str) -> Iterator[IO[bytes]]:
    """Give a file that is there under its name once it is whole, and nowhere if that fails; only its owner reads it."""
    if file == _PIPE:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = Path(f"{file}.{new_id()}.part")
    with _saying_what_failed("written"), _ending_in_order():
        try:
            part.touch(0o600, exist_ok=False)
            with part.open("wb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == _PIPE:
        yield sys.stdin.buffer
        return
    with _saying_what_failed("read"), Path(file).open("rb") as lines:
        yield lines


@contextmanager
def _saying_what_failed(done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refused(f"the file cannot be {done}: {error.strerror}") from None


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Have a request to stop end what is being done as an error would, so that nothing is left behind."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _size(lines: IO[bytes]) -> int:
    """Return how many bytes there are to read, 0 where nobody knows."""
    try:
        return os.fstat(lines.fileno()).st_size
    except OSError:
        return 0


@contextmanager
def _bar(length: int) -> Iterator[Callable[[int], Any]]:
    """Give what moves a bar on a terminal, and does nothing elsewhere."""
    with click.progressbar(length=length, file=sys.stderr, hidden=not (length and sys.stderr.isatty())) as bar:
        yield bar.update
