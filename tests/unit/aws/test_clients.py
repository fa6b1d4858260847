"""Services and buckets as the environment places them."""

import ssl
from functools import partial
from pathlib import Path

import pytest

from tests.support.aws_services import raw_answer, scripted_service
from tests.support.certificates import self_signed
from tests.support.fake_upstream import FakeUpstream, reply
from waystation.aws.clients import AwsClients, tls_with
from waystation.aws.key_service import KeyServiceError
from waystation.aws.kms import KmsKeyService
from waystation.aws.objects import Bucket, ObjectTooLargeError, StoredObject
from waystation.aws.places import Place
from waystation.settings import SettingsError

KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "canary-secret"}
ENV = {**KEYS, "AWS_REGION": "eu-central-1"}


def test_service_is_in_the_region():
    service = AwsClients(ENV).service("dynamodb")
    assert service.place == Place(True, "dynamodb.eu-central-1.amazonaws.com", 443)
    assert (service.signer.service, service.signer.region) == ("dynamodb", "eu-central-1")
    assert "canary" not in repr(service)


def test_region_has_two_names_and_must_be_told():
    clients = AwsClients({**KEYS, "AWS_DEFAULT_REGION": "cn-north-1"})
    assert clients.service("kms").place.host == "kms.cn-north-1.amazonaws.com.cn"
    with pytest.raises(SettingsError, match="AWS_REGION"):
        AwsClients(KEYS)


@pytest.mark.parametrize(
    ("bucket", "env", "url"),
    [
        ("b", {}, "https://b.s3.eu-central-1.amazonaws.com"),
        ("a.b", {}, "https://s3.eu-central-1.amazonaws.com/a.b"),
        ("b", {"AWS_ENDPOINT_URL": "http://aws:1"}, "http://aws:1/b"),
        ("b", {"AWS_ENDPOINT_URL_S3": "http://s3"}, "http://s3/b"),
    ],
)
def test_bucket_has_a_host_of_its_own_where_it_can(bucket, env, url):
    made = AwsClients({**ENV, **env}).bucket(bucket)
    scheme = "https" if made._s3.place.is_tls else "http"
    assert f"{scheme}://{made._s3.place.authority}{made._path}" == url


@pytest.mark.parametrize("url", ["ftp://aws", "aws:1", "http://aws/path"])
def test_endpoint_that_cannot_be_is_told(url):
    clients = AwsClients({**ENV, "AWS_ENDPOINT_URL": url})
    for make in (clients.service, clients.bucket):
        with pytest.raises(SettingsError, match="AWS_ENDPOINT_URL"):
            make("s3")


@pytest.mark.parametrize("env", [{"AWS_SESSION_TOKEN": "a\nb"}, {"AWS_ACCESS_KEY_ID": "a b"}])
def test_credentials_that_cannot_be_are_told(env):
    with pytest.raises(SettingsError, match=next(iter(env))):
        AwsClients({**ENV, **env})


def test_bundle_that_cannot_be_read_is_told(tmp_path: Path):
    for text in (None, "no certificate"):
        bundle = tmp_path / "bundle.pem"
        if text is not None:
            bundle.write_text(text)
        with pytest.raises(SettingsError, match="CA_BUNDLE"):
            tls_with(str(bundle))


def test_context_is_made_at_once_where_it_is_needed():
    made = []

    def make() -> ssl.SSLContext:
        made.append(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        return made[-1]

    AwsClients({**ENV, "AWS_ENDPOINT_URL": "http://aws"}, make_tls=make).service("kms")
    assert made == []
    clients = AwsClients(ENV, make_tls=make)
    for name in ("kms", "ssm"):
        clients.service(name)
    assert len(made) == 1


async def test_certificates_of_the_bundle_are_trusted_and_no_others(tmp_path: Path):
    context, own = self_signed(tmp_path, host="localhost")
    with FakeUpstream(tls=context) as upstream:
        upstream.answer(reply(b"{}"))
        port = upstream.address.partition(":")[2]
        env = {**ENV, "AWS_ENDPOINT_URL": f"https://localhost:{port}"}
        trusting, default = partial(tls_with, str(own)), ssl.create_default_context
        for make, told in ((trusting, "InvalidAnswer"), (default, "NotConnected")):
            service = AwsClients(env, make_tls=make).service("kms")
            with pytest.raises(KeyServiceError, match=told):
                await KmsKeyService(service, "key").encrypt(b"x", {})


async def test_object_has_a_bound_and_a_mark():
    whole = raw_answer(b"content", headers=[("ETag", '"1"')])
    unchanged = raw_answer(b"", status=304)
    with scripted_service("s3", whole, unchanged, whole) as s3:
        bucket = Bucket(s3.service, path="/bucket")
        assert await bucket.get("a é/k", known=None, limit=7) == StoredObject(b"content", '"1"')
        assert await bucket.get("a é/k", known='"1"', limit=7) is None
        with pytest.raises(ObjectTooLargeError):
            await bucket.get("a é/k", known='"1"', limit=6)
    asked = s3.upstream.received
    assert {one.request_line for one in asked} == {"GET /bucket/a%20%C3%A9/k HTTP/1.1"}
    assert [one.header("if-none-match") for one in asked] == [[], ['"1"'], ['"1"']]
    assert len(asked[0].header("x-amz-content-sha256")) == 1


async def test_what_is_idle_can_be_closed():
    with FakeUpstream(keeps_connections=True) as s3:
        s3.answer(raw_answer(b"content"))
        clients = AwsClients({**ENV, "AWS_ENDPOINT_URL": f"http://{s3.address}"})
        for _ in range(2):
            assert await clients.bucket("b").get("k", known=None, limit=7)
        assert s3.connections == 1
        clients.close()
        assert await clients.bucket("b").get("k", known=None, limit=7)
        clients.close()
    assert s3.connections == 2
