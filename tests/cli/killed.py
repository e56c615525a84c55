"""A process that backs up or restores over and over, each time in a copy of a folder, and is killed at another step.

``python -m tests.cli.killed FOLDER COMMAND FILE`` makes ``FOLDER-1``, ``FOLDER-2`` and so on: in the n-th of them a
child of its own is killed (SIGKILL) just before its n-th dealing with a file. It ends with the child that is not.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from click.testing import CliRunner

from tracker.cli import tracker
from tracker.cli.backup import backup

_DEALINGS = {"open", "os.rename", "os.link", "os.remove", "os.chmod", "sqlite3.connect", "fcntl.lockf"}
assert backup.name  # imported once, for all children


def main(folder: str, *command: str) -> None:
    """Kill one child after the other."""
    number, code = 0, -signal.SIGKILL
    while code == -signal.SIGKILL:
        number += 1
        shutil.copytree(folder, f"{folder}-{number}")
        child = os.fork()
        if child == 0:
            os.chdir(f"{folder}-{number}")
            _act(number, command)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == 0, code


def _act(number: int, command: tuple[str, ...]) -> None:
    here, left = str(Path.cwd()), number

    def die(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        place = str(arguments[0]) if arguments else ""
        if event in _DEALINGS and (here in place or place.startswith((".", "backup", "tracker.db", "file:"))):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(die)
    os._exit(CliRunner().invoke(tracker, command).exit_code)


if __name__ == "__main__":
    main(*sys.argv[1:])
