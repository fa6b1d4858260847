"""What the first request of a process asks AWS for at the same time."""

import threading

from tests.e2e.conftest import BuildGateway
from tests.support.emulated_aws import AwsRequest, watched
from tests.support.fake_upstream import FakeUpstream

PATIENCE_S = 5.0


class HoldsBack:
    """Answers each of two calls only when another one has been made as well."""

    def __init__(self) -> None:
        self.config, self.secrets = threading.Event(), threading.Event()
        self.met: dict[str, bool] = {}

    def __call__(self, request: AwsRequest) -> None:
        names = str(request.arguments.get("Names"))
        if request.action == "s3:GetObject":
            self.config.set()
        elif "ACME_KEY" in names:
            self.secrets.set()
        elif "_KEY_PEPPER" in names:
            self.met["pepper"] = self.config.wait(PATIENCE_S)
        elif request.action == "dynamodb:GetItem":
            self.met["key"] = self.secrets.wait(PATIENCE_S)


def test_configuration_and_secrets_are_fetched_while_the_key_is_checked(
    build_gateway: BuildGateway, acme: dict[str, object], upstream: FakeUpstream
) -> None:
    gateway, together = build_gateway(acme), HoldsBack()

    with watched(together):
        first = gateway.chat()

    assert first.status == 200
    assert together.met == {"pepper": True, "key": True}
    assert len(upstream.received) == 1


def test_requests_without_a_key_make_one_look_at_the_configuration_at_most(
    build_gateway: BuildGateway, acme: dict[str, object]
) -> None:
    gateway = build_gateway(acme)
    asked: list[str] = []

    with watched(lambda request: asked.append(request.action)):
        statuses = [gateway.chat(key="").status for _ in range(3)]

    assert statuses == [401] * 3
    assert asked.count("s3:GetObject") <= 1
