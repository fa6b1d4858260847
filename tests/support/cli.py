"""The operator's command line, run in this process against an emulated AWS."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import boto3
from typer.testing import CliRunner, Result

from tests.support.emulated_aws import emulated_aws
from tests.support.logs import fresh_log
from tests.support.tables import make_table, open_table, shared_loader
from waystation.aws.table import Item, Table
from waystation_cli.main import app

TABLE = ("--table", "way")
PREFIX = ("--prefix", "/way/prod")


def run(*arguments: str, stdin: str | None = None) -> Result:
    """Run a command."""
    return CliRunner().invoke(app, arguments, input=stdin, env={"COLUMNS": "200"})


def succeed(*arguments: str, stdin: str | None = None) -> str:
    """Run a command that must succeed; return what it printed."""
    result = run(*arguments, stdin=stdin)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def refuse(*arguments: str, stdin: str | None = None) -> str:
    """Run a command that must fail with a message; return the message."""
    result = run(*arguments, stdin=stdin)
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr


@contextlib.contextmanager
def emulated_account() -> Iterator[None]:
    """Emulate an account with the bucket and the table of a stack."""
    place: Any = {"LocationConstraint": "eu-central-1"}
    with emulated_aws(), fresh_log(), shared_loader():
        boto3.client("s3").create_bucket(Bucket="way-config", CreateBucketConfiguration=place)
        make_table()
        yield


def table() -> Table:
    """Return the account's table."""
    return open_table()


def scan(prefix: str = "") -> Sequence[Item]:
    """Return what is in the table."""
    return asyncio.run(table().scan(prefix))


def parameter(name: str) -> tuple[str, str]:
    """Return type and value of a parameter."""
    found = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    return found["Type"], found["Value"]


def parameters() -> list[str]:
    """Return the names of all parameters."""
    return [found["Name"] for found in boto3.client("ssm").describe_parameters()["Parameters"]]


@contextlib.contextmanager
def cloudformation(stacks: dict[str, dict[str, str]]) -> Iterator[str]:
    """Tell the outputs of stacks at the URL it gives; moto would need many packages for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            outputs = stacks.get(form["StackName"][0])
            answer = (_NO_STACK if outputs is None else _describe(outputs)).encode()
            self.send_response(400 if outputs is None else 200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


_NO_STACK = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>"
    "<Message>there is no such stack</Message></Error></ErrorResponse>"
)


def _describe(outputs: dict[str, str]) -> str:
    members = "".join(
        f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for key, value in outputs.items()
    )
    return (
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>x</StackName>"
        "<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>"
        f"<Outputs>{members}</Outputs></member></Stacks></DescribeStacksResult>"
        "</DescribeStacksResponse>"
    )
