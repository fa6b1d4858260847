"""Removes the stacks of `make smoke-aws`, with what they leave behind.

Nothing is touched but what bears the name that was made for them, or is a resource of theirs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from waystation_cli.deployment import Account

SAM_STACK = "aws-sam-cli-managed-default"  # its bucket has what `sam deploy` uploads
KMS_WAIT_DAYS = 7  # the fewest that there are

_ABSENT = {
    "KMSInvalidStateException",  # of a key that waits for its deletion already
    "NoSuchBucket",
    "NotFoundException",
    "ResourceNotFoundException",
}
_KEPT = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key")
_PARAMETERS_AT_ONCE = 10


@dataclass
class Removal:
    """One removal. `left` says what could not be removed, and why."""

    aws: Account
    name: str
    stacks: tuple[str, ...]
    left: list[str] = field(default_factory=list)
    _stack_ids: dict[str, str] = field(default_factory=dict)
    _made: dict[str, set[str]] = field(default_factory=dict)

    def run(self) -> list[str]:
        """Remove everything; return what is left. After Ctrl-C that is all that was to come."""
        steps = self._steps()
        for number, (what, step) in enumerate(steps):
            try:
                with _unless_absent():
                    step()
            except (BotoCoreError, ClientError) as error:
                self.left.append(f"{what}: {error}")
            except KeyboardInterrupt:
                self.left += [f"{name}: not tried, or not to the end" for name, _ in steps[number:]]
                break
        if self.left:
            kept = [name for kind in _KEPT for name in self._each(kind)]
            self.left.append(f"what outlives a stack is named {', '.join(kept) or '(unknown)'}")
        return self.left

    @property
    def has_kept_key(self) -> bool:
        """Return whether there was a KMS key, which AWS deletes days later."""
        return "AWS::KMS::Key" in self._made

    def _steps(self) -> list[tuple[str, Callable[[], None]]]:
        path = f"/waystation/{self.name}"
        return [
            *((f"stack {stack}", partial(self._begin, stack)) for stack in self.stacks),
            *((f"stack {stack}", partial(self._await_end, stack)) for stack in self.stacks),
            ("the ledger's table", self._delete_tables),
            ("the configuration's bucket", self._delete_buckets),
            ("the KMS key of users' keys", self._delete_keys),
            (f"SSM parameters under {path}", partial(self._delete_parameters, path)),
            (f"log groups of {self.name}", self._delete_logs),
            (f"{self.name}/ in the bucket of {SAM_STACK}", self._delete_uploads),
        ]

    def _client(self, service: Any) -> Any:
        return self.aws.session().client(service, endpoint_url=self.aws.url)

    def _begin(self, stack: str) -> None:
        client = self._client("cloudformation")
        (found,) = client.describe_stacks(StackName=stack)["Stacks"]
        self._stack_ids[stack] = found["StackId"]
        self._note_resources(stack)
        client.delete_stack(StackName=stack)

    def _await_end(self, stack: str) -> None:
        if (stack_id := self._stack_ids.get(stack)) is None:
            return
        try:
            waiter = self._client("cloudformation").get_waiter("stack_delete_complete")
            waiter.wait(StackName=stack_id, WaiterConfig={"Delay": 5, "MaxAttempts": 240})
        except WaiterError as error:
            self.left.append(f"stack {stack}: {error}")
        self._note_resources(stack_id)  # of a deleted stack too: one may have been made meanwhile

    def _note_resources(self, stack: str) -> None:
        pages = self._client("cloudformation").get_paginator("list_stack_resources")
        with _unless_absent():
            for page in pages.paginate(StackName=stack):
                for one in page["StackResourceSummaries"]:
                    if name := one.get("PhysicalResourceId"):
                        self._made.setdefault(one["ResourceType"], set()).add(name)

    def _each(self, kind: str) -> Iterator[str]:
        yield from sorted(self._made.get(kind, ()))

    def _delete_tables(self) -> None:
        client = self._client("dynamodb")
        for name in self._each("AWS::DynamoDB::Table"):
            if client.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
                client.update_table(TableName=name, DeletionProtectionEnabled=False)
            client.delete_table(TableName=name)

    def _delete_buckets(self) -> None:
        for name in self._each("AWS::S3::Bucket"):
            self._empty(name)
            self._client("s3").delete_bucket(Bucket=name)

    def _delete_keys(self) -> None:
        for name in self._each("AWS::KMS::Key"):
            self._client("kms").schedule_key_deletion(KeyId=name, PendingWindowInDays=KMS_WAIT_DAYS)

    def _delete_parameters(self, path: str) -> None:
        client = self._client("ssm")
        pages = client.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True)
        names = [one["Name"] for page in pages for one in page["Parameters"]]
        for start in range(0, len(names), _PARAMETERS_AT_ONCE):
            client.delete_parameters(Names=names[start : start + _PARAMETERS_AT_ONCE])

    def _delete_logs(self) -> None:
        client = self._client("logs")
        pages = client.get_paginator("describe_log_groups")
        for prefix in (self.name, f"/aws/lambda/{self.name}"):
            for page in pages.paginate(logGroupNamePrefix=prefix):
                for group in page["logGroups"]:
                    client.delete_log_group(logGroupName=group["logGroupName"])

    def _delete_uploads(self) -> None:
        client = self._client("cloudformation")
        bucket = client.describe_stack_resource(
            StackName=SAM_STACK, LogicalResourceId="SamCliSourceBucket"
        )["StackResourceDetail"]["PhysicalResourceId"]
        self._empty(bucket, f"{self.name}/")

    def _empty(self, bucket: str, prefix: str = "") -> None:
        """Delete all versions of what is in a bucket."""
        client = self._client("s3")
        pages = client.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if found:
                named = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
                answer = client.delete_objects(
                    Bucket=bucket, Delete={"Objects": named, "Quiet": True}
                )
                self.left += [
                    f"s3://{bucket}/{one['Key']}: {one['Code']}" for one in answer.get("Errors", ())
                ]


@contextmanager
def _unless_absent() -> Iterator[None]:
    """Take for done what fails because the thing is not there."""
    try:
        yield
    except ClientError as error:
        told = error.response["Error"]
        is_no_stack = told["Code"] == "ValidationError" and "does not exist" in told["Message"]
        if not is_no_stack and told["Code"] not in _ABSENT:
            raise
