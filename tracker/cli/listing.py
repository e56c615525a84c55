"""``tracker settings``: every setting, its default and what it means."""

from __future__ import annotations

import click

from tracker.settings import Settings


@click.command()
@click.option("--markdown", is_flag=True, help="As the table that README.md has.")
def settings(*, markdown: bool) -> None:
    """List the settings, their defaults and what they mean."""
    if markdown:
        click.echo(markdown_table())
        return
    for name, default, meaning in Settings.table():
        click.echo(f"{name} (default: {default})\n    {meaning}".replace("`", ""))


def markdown_table() -> str:
    """Return the settings as README.md lists them between its two marks."""
    rows = [f"| {name} | {default} | {meaning} |" for name, default, meaning in Settings.table()]
    return "\n".join(["| Setting | Default | Meaning |", "|---|---|---|", *rows])
