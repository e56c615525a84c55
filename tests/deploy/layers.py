"""Images without Docker: layers over this machine's root, in a mount namespace of one's own, and what runs in them.

This machine stands for the base image: its root, and over /usr/local the Python that runs this. What is changed is
changed in a layer. Seen on Linux 5.15 and newer; it takes root.
"""

from __future__ import annotations

import os
import shutil
import string
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.deploy.dockerfile import Instruction, Stage, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
# What says from where packages come, and by which certificates; an engine is given the same.
_HANDED_ON = ("PIP_", "SSL_CERT_", "REQUESTS_CA_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Layer:
    """A root that can be changed, and what an image says about whoever runs in it."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH, "HOME": "/tmp", "LANG": "C.UTF-8"})  # noqa: S108 - in the image
    folder: str = "/"
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)

    def command(self, *arguments: str) -> list[str]:
        """Return what runs a command as the image's user; one that is not root has no capability, and gets none."""
        uid, _, gid = self.user.partition(":")
        confined = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"] if int(uid) else []
        become = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *confined]
        return ["chroot", str(self.root), *become, "sh", "-c", 'cd "$0" && exec "$@"', self.folder, *arguments]

    def within(self, path: str) -> Path:
        """Return where a path of the image is on this machine."""
        return self.root / os.path.normpath(Path("/") / self.folder / path).lstrip("/")


def mounted(home: Path) -> Layer:
    """Return a new layer over this machine; ``home`` keeps what is changed in it."""
    root = _overlay(home / "root", Path("/"))
    local = root / "usr" / "local"
    _overlay(home / "local", Path(sys.base_prefix), at=local)
    _name_as_images_do(local / "bin")
    for marker in local.glob("lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    _furnish(root)
    subprocess.run(["chroot", root, "ldconfig"], check=True)
    return Layer(root)


def _name_as_images_do(programs: Path) -> None:
    python, pip = programs / "python", programs / "pip"
    for program in (python, pip):
        program.unlink(missing_ok=True)
    python.symlink_to("python3")
    pip.write_text('#!/bin/sh\nexec python -m pip "$@"\n', encoding="ascii")
    pip.chmod(0o755)


def _furnish(root: Path) -> None:
    """Give a root what an engine gives it. Its devices are these, so that no mistake here can reach the machine's."""
    _mount("--bind", "/proc", root / "proc")
    _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", root / "dev")
    for name in ("null", "zero", "full", "random", "urandom"):
        (root / "dev" / name).touch()
        _mount("--bind", f"/dev/{name}", root / "dev" / name)
    (root / "dev" / "shm").mkdir()
    for name in ("tmp", "dev/shm"):
        _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / name)


def confine(layer: Layer, *hidden: Path) -> None:
    """Make a container of a layer: its root read-only, its volumes empty, nothing of these folders to be seen."""
    for path in ("/run", *layer.volumes):
        owner = layer.within(path).stat()
        options = f"uid={owner.st_uid},gid={owner.st_gid},mode={owner.st_mode & 0o7777:o}"
        _mount("-t", "tmpfs", "-o", options, "tmpfs", layer.within(path))
    for folder in hidden:
        _mount("-t", "tmpfs", "-o", "ro,mode=0755", "tmpfs", layer.within(str(folder)))
    for mount in (layer.root / "usr" / "local", layer.root):
        _mount("-o", "remount,ro", mount)


def perform(stage: Stage, layer: Layer, context: Path, others: dict[str, Layer]) -> None:
    """Do what a stage says, one instruction after the other."""
    for instruction in stage.instructions:
        if instruction.name not in _SAYS_HOW_TO_RUN:
            print(f"  {stage.name}: {instruction.name} {instruction.rest[:90]}", flush=True)
            _DOES[instruction.name](instruction, layer, context, others)


def _set_environment(instruction: Instruction, layer: Layer, _: Path, __: dict[str, Layer]) -> None:
    for word in instruction.words:
        name, _equals, value = word.partition("=")
        layer.environment[name] = string.Template(value).substitute(layer.environment)


def _change_folder(instruction: Instruction, layer: Layer, _: Path, __: dict[str, Layer]) -> None:
    layer.within(instruction.rest).mkdir(parents=True, exist_ok=True)
    layer.folder = os.path.normpath(Path(layer.folder) / instruction.rest)


def _copy(instruction: Instruction, layer: Layer, context: Path, others: dict[str, Layer]) -> None:
    words = instruction.words
    origin = lambda path: context / path  # noqa: E731 - one of two
    if words[0].startswith("--from="):
        origin = others[words.pop(0).removeprefix("--from=")].within
    if words[0].startswith("--"):
        raise Unknown(f"COPY {words[0]}: nobody knows how to do this")
    *sources, target = words
    into = layer.within(target)
    for source in map(origin, sources):
        _copy_one(source, into / source.name if target.endswith("/") and source.is_file() else into)


def _copy_one(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _run(instruction: Instruction, layer: Layer, _: Path, __: dict[str, Layer]) -> None:
    handed_on = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - where packages come from is no setting of the product
        if name.upper().startswith(_HANDED_ON)
    }
    command = layer.command("sh", "-c", instruction.rest)
    subprocess.run(command, check=True, env=handed_on | layer.environment, stdout=subprocess.DEVNULL)


def _become(instruction: Instruction, layer: Layer, _: Path, __: dict[str, Layer]) -> None:
    layer.user = instruction.rest


def _add_volume(instruction: Instruction, layer: Layer, _: Path, __: dict[str, Layer]) -> None:
    layer.volumes += instruction.words


_SAYS_HOW_TO_RUN = frozenset({"EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"})
_DOES: dict[str, Callable[[Instruction, Layer, Path, dict[str, Layer]], None]] = {
    "ENV": _set_environment,
    "WORKDIR": _change_folder,
    "COPY": _copy,
    "RUN": _run,
    "USER": _become,
    "VOLUME": _add_volume,
}


def context_of(ignore: str, folder: Path) -> Path:
    """Copy what an engine would be sent, by a .dockerignore that begins with nothing and names what is added."""
    first, *lines = [line for line in ignore.splitlines() if line and not line.startswith("#")]
    named = [line for line in lines if line.startswith("!")]
    left_out = [line.removeprefix("**/") for line in lines if line.startswith("**/")]
    if first != "*" or len(named) + len(left_out) != len(lines):
        raise Unknown(".dockerignore: only *, then !names, then **/names")
    for name in (line.removeprefix("!") for line in named):
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*left_out))
        else:
            _copy_one(source, target)
    return folder


def _overlay(home: Path, lower: Path, at: Path | None = None) -> Path:
    upper, work, merged = home / "changed", home / "work", at or home / "root"
    for folder in (upper, work, merged):
        folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", "overlay", merged)
    return merged


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)
