"""The stack behind a Lambda authorizer, called through its API URL by browsers and others."""

import io
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from waystation_cli.deploy_local import deploy
from waystation_cli.deployment import Deployment
from waystation_cli.ministack import MiniStack, run_ministack

APP = "https://app.example.com"
ROUTES = [
    ("GET", "/v1/models"),
    ("GET", "/api/models"),
    ("GET", "/v1/models/Fake%2Fsmall"),
    ("GET", "/api/endpoints"),
    ("GET", "/api/endpoints/token-config"),
    ("POST", "/v1/titles"),
    ("GET", "/v1/titles/c-1"),
    ("PUT", "/v1/keys/My%20own%2F1"),
    ("PUT", "/api/keys"),
    ("DELETE", "/api/keys/openAI"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/count_tokens"),
]
MORE_PATHS = ["/healthz", "/api/convos/gen_title/c-1"]  # without a caller; waits for a title
CONFIG = """
version: 1.3.14
endpoints:
  custom:
    - name: Fake
      apiKey: k
      baseURL: https://upstream.example.com/v1
      models: {default: [small]}
"""
AUTHORIZER = """
def handler(event, context):
    given = event["headers"].get("Authorization") or event["headers"].get("authorization")
    effect = "Allow" if given == "Bearer let-alice-in" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": "*"}
    return {
        "principalId": "alice",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"email": "alice@example.com"},
    }
"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    log = tmp_path_factory.mktemp("ministack") / "log"
    with run_ministack(log=log) as aws:
        parameters = {"AuthorizerFunctionArn": _make_authorizer(aws), "CorsOrigins": APP}
        deployment = deploy(aws, "authorized", **parameters)
        deployment.push(CONFIG)
        with httpx2.Client(trust_env=False, timeout=60) as http:
            _wait_for(http, deployment)
            http.base_url = httpx2.URL(deployment.api_url)
            yield http


def test_route_answers_whom_the_authorizer_lets_in(api: httpx2.Client):
    answer = api.get("/v1/models", headers={"Authorization": "Bearer let-alice-in"})
    assert answer.status_code == 200
    assert [model["id"] for model in answer.json()["data"]] == ["Fake/small"]


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[path for _, path in ROUTES])
def test_every_route_asks_the_authorizer(api: httpx2.Client, method: str, path: str):
    refused = api.request(method, path, headers={"Authorization": "Bearer let-bob-in"}, json={})
    nobody = api.request(method, path, json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (401, "invalid_api_key")
    let_in = api.request(method, path, headers={"Authorization": "Bearer let-alice-in"}, json={})
    assert let_in.status_code in {200, 204, 400, 404}


def test_health_asks_nobody(api: httpx2.Client):
    assert api.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", [*(path for _, path in ROUTES), *MORE_PATHS])
def test_preflight_of_every_path_reaches_a_function(api: httpx2.Client, path: str):
    asked = {"Origin": APP, "Access-Control-Request-Method": "POST"}
    answer = api.options(path, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == APP
    assert api.options(path, headers=asked | {"Origin": "null"}).status_code in {404, 405}


def _make_authorizer(aws: MiniStack) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("index.py", AUTHORIZER)
    session, url = aws.session(), aws.url
    role: Any = session.client("iam", endpoint_url=url).create_role(
        RoleName="authorizer", AssumeRolePolicyDocument="{}"
    )
    made = session.client("lambda", endpoint_url=url).create_function(
        FunctionName="authorizer",
        Runtime="python3.13",
        Handler="index.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": archive.getvalue()},
    )
    return str(made["FunctionArn"])


def _wait_for(http: httpx2.Client, deployment: Deployment) -> None:
    """Wait until the functions have read the configuration."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if http.get(f"{deployment.api_url}/healthz").json().get("config_version"):
            return
        time.sleep(1)
    raise AssertionError("the configuration is not served")
