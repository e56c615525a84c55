"""How each language makes its client of the contract, compiles it with the story, and tells that.

The folder of a language here is copied to ``build/sdk/``, the client is generated into the copy, and every command runs
there. An argument with ``**`` stands for the files it finds.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "sdk"
BUILD = ROOT / "build" / "sdk"
CONTRACT = ROOT / "spec" / "openapi.yaml"
WITHOUT_OPTIONAL_LOGIN = BUILD / "openapi.yaml"  # the contract as __main__.py alters it for Python
JARS = ROOT / "build" / "java"
POM = SOURCES / "java" / "pom.xml"

_TOOLS = Path(sys.executable).parent
_PACKAGES = ROOT / "node_modules"
_NODE = str(_TOOLS / "node")
_REQUIREMENTS = "requirements-dev.txt"
_JDK = "a JDK of 17 or newer (Debian: default-jdk-headless)"

Command = list[str]


@dataclass(frozen=True)
class Language:
    """One of those that tell the story; ``needs`` has each program with where it comes from."""

    name: str
    story: str
    needs: dict[str, str]
    compile: list[Command]
    tell: Command

    @property
    def source(self) -> Path:
        """Where its story stands."""
        return SOURCES / self.name / self.story

    @property
    def folder(self) -> Path:
        """Where its client is made."""
        return BUILD / self.name

    def missing(self) -> list[str]:
        """Return a line for each program that it needs and that is not there."""
        lacking = [(program, origin) for program, origin in self.needs.items() if shutil.which(program) is None]
        return [f"{self.name} needs {Path(program).name}: {origin}" for program, origin in lacking]


def _python() -> Language:
    generator = str(_TOOLS / "openapi-python-client")
    generate = [generator, "generate", "--meta", "uv", "--config", "config.yaml", "--fail-on-warning", "--overwrite"]
    return Language(
        name="python",
        story="story.py",
        needs={generator: _REQUIREMENTS},
        compile=[
            [*generate, "--path", str(WITHOUT_OPTIONAL_LOGIN), "--output-path", "."],
            [sys.executable, "-m", "mypy", "--strict", "--config-file=", "tracker_client", "story.py"],
        ],
        tell=[sys.executable, "story.py"],
    )


def _typescript() -> Language:
    generator, compiler = (_PACKAGES / name / "bin" for name in ("openapi-typescript", "typescript"))
    return Language(
        name="typescript",
        story="story.mts",
        needs={_NODE: _REQUIREMENTS, str(_PACKAGES / ".bin" / "tsc"): "package-lock.json"},
        compile=[
            [_NODE, str(generator / "cli.js"), str(CONTRACT), "--default-non-nullable=false", "--output", "schema.ts"],
            [_NODE, str(compiler / "tsc")],
        ],
        tell=[_NODE, "story.mjs"],
    )


def _go() -> Language:
    go = [
        "env",
        "CGO_ENABLED=0",
        "GOFLAGS=-mod=readonly",
        "GOTOOLCHAIN=local",
        "GOWORK=off",
        "go",
    ]  # it depends on nothing
    options = {"packageName": "tracker", "withGoMod": "false", "generateInterfaces": "false", "enumClassPrefix": "true"}
    return Language(
        name="go",
        story="main.go",
        needs={"go": "Go 1.19 or newer (Debian: golang-go)", "java": _JDK},
        compile=[_generate("go", "tracker", options), [*go, "vet", "./..."], [*go, "build", "-o", "story", "."]],
        tell=["./story"],
    )


def _java() -> Language:
    package = {"invokerPackage": "", "apiPackage": ".api", "modelPackage": ".model"}
    options = {name: f"tracker.client{place}" for name, place in package.items()}
    javac = ["javac", "-proc:none", "-Werror", "-d", "classes", "-classpath", f"classes:{JARS}/*"]
    generated = "-Xlint:cast,fallthrough,overrides,rawtypes,removal,static,unchecked,varargs"
    return Language(
        name="java",
        story="Story.java",
        needs={"java": _JDK, "javac": _JDK, "mvn": "Maven (Debian: maven)"},
        compile=[
            _generate("java", ".", {**options, "library": "native", "useSingleRequestParameter": "true"}),
            [*javac, generated, "src/main/java/**/*.java"],
            [*javac, "-Xlint:all,-path", "Story.java"],
        ],
        tell=["java", "-XX:+UseSerialGC", "-classpath", f"classes:{JARS}/*", "Story"],
    )


def _generate(language: str, folder: str, options: dict[str, str]) -> Command:
    """Return what generates Go and Java: models and calls, with neither tests nor a page for each."""
    all_options = {**options, "useOneOfDiscriminatorLookup": "true", "hideGenerationTimestamp": "true"}
    left_out = "apiTests=false,modelTests=false,apiDocs=false,modelDocs=false"
    return [
        *(str(_TOOLS / "openapi-generator-cli"), "generate", "-g", language, "-i", str(CONTRACT), "-o", folder),
        *("--additional-properties", ",".join(f"{name}={value}" for name, value in all_options.items())),
        *("--openapi-normalizer", "SIMPLIFY_ONEOF_ANYOF_ENUM=false"),  # an enum or null is that enum, not a new one
        *("--global-property", f"apis,models,supportingFiles,{left_out}"),
    ]


LANGUAGES = (_java(), _go(), _python(), _typescript())  # what takes longest begins first
