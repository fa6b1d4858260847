"""Events as API Gateway and function URLs hand them to a handler, and the context beside them."""

import base64
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

Event: TypeAlias = dict[str, Any]

_HOST = "abcdefghij.execute-api.eu-central-1.amazonaws.com"
_URL_HOST = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws"


class EventMaker(Protocol):
    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, /
    ) -> Event: ...


class LambdaContext:
    """As much of Lambda's context as the gateway asks for."""

    aws_request_id = "6bc28136-xmpl-4365-b021-0ce6b2e64ab0"

    def __init__(self, remaining_ms: int = 60_000) -> None:
        self.remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def rest_event(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Event:
    """Return what a REST API sends (payload of version 1)."""
    sent = {"Host": _HOST, "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https", **headers}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "path": f"/prod{path}",
            "stage": "prod",
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.10"},
            "requestId": "7f1d6c9e-3a52-4b0f-8c1e-5d2a9b4e6f70",
        },
        **_body(body),
    }


def http_event(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Event:
    """Return what an HTTP API sends (payload of version 2)."""
    return _version_2(method, path, headers, body, host=_HOST, route=f"{method} {path}")


def url_event(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Event:
    """Return what a function URL sends."""
    return _version_2(method, path, headers, body, host=_URL_HOST, route="$default")


def with_authorizer(make: EventMaker, authorizer: object) -> EventMaker:
    """Make events with what an authorizer found out; None is none, null as API Gateway may say."""

    def make_authorized(
        method: str, path: str, headers: Mapping[str, str], body: bytes | None, /
    ) -> Event:
        event = make(method, path, headers, body)
        context = {**event["requestContext"], "authorizer": authorizer}
        return event | {"requestContext": context}

    return make_authorized


def with_query(make: EventMaker, name: str, value: str) -> EventMaker:
    """Make events with one parameter in the query string."""

    def make_with_query(
        method: str, path: str, headers: Mapping[str, str], body: bytes | None, /
    ) -> Event:
        event = make(method, path, headers, body)
        if event.get("version") == "2.0":
            return event | {"rawQueryString": f"{name}={value}"}
        several = {"multiValueQueryStringParameters": {name: [value]}}
        return event | {"queryStringParameters": {name: value}} | several

    return make_with_query


def in_base64(event: Event) -> Event:
    """Return the event with its body in base64."""
    encoded = base64.b64encode(str(event["body"]).encode()).decode()
    return event | {"body": encoded, "isBase64Encoded": True}


def _version_2(
    method: str, path: str, headers: Mapping[str, str], body: bytes | None, *, host: str, route: str
) -> Event:
    sent = {"host": host, "x-forwarded-port": "443", "x-forwarded-proto": "https"}
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": sent | {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "domainName": host,
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.10",
                "userAgent": "curl/8.7.1",
            },
            "routeKey": route,
            "stage": "$default",
        },
        **_body(body),
    }
    if body is None:
        del event["body"]  # version 2 leaves it out, version 1 says null
    return event


def _body(body: bytes | None) -> dict[str, object]:
    """Bodies that are not text arrive in base64."""
    if body is None:
        return {"body": None, "isBase64Encoded": False}
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def queue_event(*bodies: str) -> Event:
    """Return what SQS sends to a function: a batch of messages, with ids of their own."""
    return {
        "Records": [
            {
                "messageId": f"059f36b4-87a3-44ab-83d2-{number:012d}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1545082649185",
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:outbox",
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies)
        ]
    }
