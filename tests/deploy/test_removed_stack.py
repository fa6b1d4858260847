"""What is left of a deleted stack. Runs last, for all other modules need the stack."""

from tests.deploy.conftest import Gateway


def test_deleted_stack_leaves_the_table_and_the_bucket(gateway: Gateway):
    deployment = gateway.deployment
    deployment.delete()
    session, url = deployment.aws.session(), deployment.aws.url
    functions = session.client("lambda", endpoint_url=url).list_functions()["Functions"]
    assert functions == []
    assert session.client("apigateway", endpoint_url=url).get_rest_apis()["items"] == []
    assert session.client("iam", endpoint_url=url).list_roles()["Roles"] == []
    tables = session.client("dynamodb", endpoint_url=url).list_tables()["TableNames"]
    assert tables == [deployment.outputs["TableName"]]
    buckets = session.client("s3", endpoint_url=url).list_buckets()["Buckets"]
    assert deployment.outputs["ConfigBucket"] in [bucket["Name"] for bucket in buckets]
