"""`waystation validate` and `waystation schema`: the file, checked and described."""

import json
from pathlib import Path
from typing import Annotated

import typer

from waystation.config.schema import Endpoint
from waystation.config.schema_titles import TITLE_SECTIONS, TitleSettings
from waystation.config.snapshot import ConfigProblem, Findings, inspect
from waystation_cli.console import error_console, fail
from waystation_cli.json_schema import describe


def validate(
    file: Annotated[Path, typer.Argument(help="A librechat.yaml, whole or in part.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check a file; errors name line and path, never a value. Exit status 1 if there are any."""
    findings = inspect(read_document(file))
    if as_json:
        report = {
            "valid": not findings.errors,
            "errors": [_as_json(problem) for problem in findings.errors],
            "warnings": [_as_json(problem) for problem in findings.warnings],
        }
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        print_findings(file, findings)
    raise typer.Exit(1 if findings.errors else 0)


def schema() -> None:
    """Print the JSON Schema of the file, for editors."""
    definitions: dict[str, object] = {}
    titles = {name: describe(TitleSettings, definitions) for name in TITLE_SECTIONS}
    custom = {"type": "array", "items": describe(Endpoint, definitions)}
    addresses = {"type": "array", "items": {"type": "string"}}
    endpoints = {
        "type": "object",
        "properties": {"custom": custom, "allowedAddresses": addresses, **titles},
    }
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "librechat.yaml, as Waystation reads it",
        "type": "object",
        "properties": {"version": {"type": "string"}, "endpoints": endpoints},
        "$defs": definitions,
    }
    print(json.dumps(document, ensure_ascii=False, indent=2))


def read_document(file: Path) -> bytes:
    """Return the bytes of a file, or end with a message."""
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")


def print_findings(file: Path, findings: Findings) -> None:
    """Print errors and warnings, a line each, as compilers do."""
    for kind, problems in (("error", findings.errors), ("warning", findings.warnings)):
        for problem in problems:
            where = f"{file}:{problem.line or 1}"
            path = f"{problem.path}: " if problem.path else ""
            error_console.print(f"{where}: {kind}: {path}{problem.message}")
    if findings.file_errors:
        print(f"{file} is not valid, and refused as a whole.")
        return
    names = ", ".join(endpoint.name for endpoint in findings.endpoints) or "none"
    verdict = "not valid" if findings.errors else "valid"
    print(f"{file} is {verdict}. Usable endpoints: {names}.")


def _as_json(problem: ConfigProblem) -> dict[str, object]:
    return {"path": problem.path, "message": problem.message, "line": problem.line}
