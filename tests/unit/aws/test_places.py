"""Where services are: as boto3 has it, and where the environment says."""

import botocore.session
import pytest

from waystation.aws.places import Place, custom_place, parse_place, regional_place

SERVICES = ["dynamodb", "ssm", "kms", "lambda", "sqs", "s3"]
REGIONS = [
    "eu-central-1",
    "us-east-1",
    "ap-southeast-7",
    "us-gov-west-1",
    "cn-north-1",
    "eusc-de-east-1",
]


@pytest.mark.parametrize("region", REGIONS)
def test_place_is_boto3s(region):
    session = botocore.session.get_session()
    for service in SERVICES:
        client = session.create_client(service, region_name=region)
        place = regional_place(service, region)
        theirs = client.meta.endpoint_url.replace("//s3.amazonaws", "//s3.us-east-1.amazonaws")
        assert f"https://{place.authority}" == theirs


@pytest.mark.parametrize(
    ("url", "place", "authority"),
    [
        ("http://127.0.0.1:4566", Place(False, "127.0.0.1", 4566), "127.0.0.1:4566"),
        ("https://Aws.Internal/", Place(True, "aws.internal", 443), "aws.internal"),
        ("http://[::1]:80", Place(False, "::1", 80), "[::1]"),
    ],
)
def test_place_of_a_url(url, place, authority):
    assert parse_place(url) == place
    assert place.authority == authority


@pytest.mark.parametrize(
    "url", ["127.0.0.1:4566", "ftp://h", "https://", "http://h/path", "http://u@h", "http://h:x"]
)
def test_other_url_is_refused(url):
    with pytest.raises(ValueError):  # noqa: PT011 (some are urllib's)
        parse_place(url)


def test_a_services_own_url_comes_first():
    env = {"AWS_ENDPOINT_URL": "http://all:1", "AWS_ENDPOINT_URL_S3": "http://s3:2"}
    assert custom_place("s3", env) == Place(False, "s3", 2)
    assert custom_place("kms", env) == Place(False, "all", 1)
    assert custom_place("kms", {"AWS_ENDPOINT_URL": ""}) is None
