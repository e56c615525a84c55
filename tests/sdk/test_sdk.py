"""What `make sdk` promises: docs/sdk.md shows what is run, and what goes wrong in a language is said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from sdk import __main__ as make
from sdk.languages import CONTRACT, LANGUAGES, ROOT, Language

every_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)


def shown(language: Language) -> str:
    """Return the lines of a story that docs/sdk.md shows."""
    story = language.source.read_text(encoding="utf-8")
    (lines,) = re.findall(r"docs/sdk\.md from here\n(.*\n)\s*\S+ docs/sdk\.md to here", story, re.DOTALL)
    return dedent(lines)


@every_language
def test_the_page_shows_ten_lines_that_are_compiled_and_run(language: Language) -> None:
    page = (ROOT / "docs" / "sdk.md").read_text(encoding="utf-8")
    assert re.findall(rf"```{language.name}\n(.*?)```", page, re.DOTALL) == [shown(language)]
    assert len(shown(language).splitlines()) == 10
    assert f"(../{language.source.relative_to(ROOT)})" in page


# What the four of them are held to, on languages that are quick.


@dataclass(frozen=True)
class Shell(Language):
    """A language whose story is a line of the shell."""

    place: Path = Path()

    @property
    def source(self) -> Path:
        return self.place / "source" / self.name / self.story

    @property
    def folder(self) -> Path:
        return self.place / "build" / self.name


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have everything made in a folder of the test's own."""
    folder = tmp_path / "build"
    monkeypatch.setattr(make, "BUILD", folder)
    monkeypatch.setattr(make, "WITHOUT_OPTIONAL_LOGIN", folder / "openapi.yaml")
    return folder


def speak(monkeypatch: pytest.MonkeyPatch, place: Path, **lines: str) -> None:
    """Make languages of lines of the shell, by their names, the only ones there are."""
    for name in lines:
        (place / "source" / name).mkdir(parents=True)
    tell = {name: ["sh", "-c", f"{line} # $0 $1 $2"] for name, line in lines.items()}
    languages = (Shell(name, "story.sh", {}, [], told, place) for name, told in tell.items())
    monkeypatch.setattr(make, "LANGUAGES", tuple(languages))


def test_stories_that_are_the_same_are_told_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speak(monkeypatch, tmp_path, one="echo 1.1 task", other="echo 1.1 task")
    assert make.main() == 0
    told, summary = capsys.readouterr().out.strip().split("\n\n")
    assert told == "1.1 task"
    assert re.fullmatch(r"The same in one, other: \d+ s\.", summary)


def test_a_story_that_differs_fails_and_is_shown_against_the_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speak(monkeypatch, tmp_path, one="echo 1.1 task", other="echo 1.2 task", third="echo 1.1 task")
    assert make.main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["--- one", "+++ other", "@@ -1 +1 @@", "-1.1 task", "+1.2 task"]


def test_each_language_is_told_where_the_server_is_and_has_an_account_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speak(monkeypatch, tmp_path, one='echo "$1"', other='echo "$1"')
    assert make.main() == 1
    assert {"-ann-one", "+ann-other"} < set(capsys.readouterr().out.splitlines())


def test_a_command_that_fails_is_named_with_its_language_and_what_it_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speak(monkeypatch, tmp_path, one="echo 1.1 task", other="echo it is broken >&2; exit 7")
    assert make.main() == 1
    message = capsys.readouterr().err
    assert message.startswith("other: exit code 7 of sh -c ")
    assert "it is broken" in message


def test_what_was_generated_before_is_gone_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, build: Path
) -> None:
    (build / "one").mkdir(parents=True)
    (build / "one" / "stale").touch()
    speak(monkeypatch, tmp_path, one="test ! -e stale")
    assert make.main() == 0


def test_a_program_that_is_missing_is_named_in_a_line_with_where_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs = {"sh": "every machine", "/nowhere/gopher": "Debian's gopher"}
    monkeypatch.setattr(make, "LANGUAGES", (Shell("one", "story.sh", needs, [], [], tmp_path),))
    assert make.main() == 1
    assert capsys.readouterr().err == "one needs gopher: Debian's gopher\n"


def test_only_a_login_that_is_optional_is_taken_out_for_python() -> None:
    contract: dict[str, Any] = yaml.safe_load(CONTRACT.read_bytes())
    told = make.without_optional_login(yaml.safe_load(CONTRACT.read_bytes()))

    assert told["paths"]["/register"]["post"].pop("security") == []
    assert {} in contract["paths"]["/register"]["post"].pop("security")
    assert told["paths"]["/register"] == contract["paths"]["/register"]
    assert told["paths"]["/tasks"] == contract["paths"]["/tasks"]
