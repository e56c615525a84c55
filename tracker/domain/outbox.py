"""What leaves the house leaves from the log: how far each consumer of it has read."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Position:
    """The last commit of a project's log that a consumer is done with; ``version`` is 0 where none is kept yet."""

    consumer: str
    project_id: str
    head: int = 0
    version: int = 0

    @property
    def id(self) -> str:
        """The pair that names it."""
        return f"{self.consumer}/{self.project_id}"

    @property
    def kept(self) -> Position | None:
        """What is to be replaced where it moves on: itself, unless it is the first."""
        return self if self.version else None

    def moved_to(self, head: int) -> Position:
        """Return it after the commits up to a head."""
        return replace(self, head=head, version=self.version + 1)
