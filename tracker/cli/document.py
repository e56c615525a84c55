"""``tracker openapi``: the contract itself."""

from __future__ import annotations

import sys

import click
import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator

from tracker.cli import Refused
from tracker.edge.document import document_bytes


@click.command()
@click.option("--check", is_flag=True, help="Validate the document instead of printing it.")
def openapi(*, check: bool) -> None:
    """Print the OpenAPI document, or check it."""
    if not check:
        sys.stdout.buffer.write(document_bytes())
        return
    document = yaml.safe_load(document_bytes())
    for error in OpenAPIV30SpecValidator(document).iter_errors():
        place, rule = "/".join(map(str, error.path)), str(error).partition("\n")[0]
        raise Refused(f"the document is not valid OpenAPI 3.0 at /{place}: {rule}")
    click.echo(f"The document is valid OpenAPI {document['openapi']}.")
