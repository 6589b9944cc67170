"""S3 blob stores of the real Core in a bucket of an S3 server, moto's, which checks signatures."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from nexus_registry.providers.client import Connection, NexusClient
from nexus_registry.providers.repositories.raw import RawHostedRepository
from nexus_registry.providers.system.blob_store import S3BlobStore

from sandbox.process import Process
from sandbox.shell import free_port
from sandbox.tools import tool
from tests.contract.docker_api import named
from tests.contract.every_version import Case, Lifecycle, refusal
from tests.contract.server import Nexus
from tests.contract.tracked import Tracked
from tests.lifecycle.conftest import ENGINES

from .engine import comes_up_and_stays, server_stack

pytestmark = pytest.mark.xdist_group("contract")
PROGRAM = """
import pulumi
from nexus_registry.providers import S3BlobStore

config = pulumi.Config()
S3BlobStore("store", secret_access_key=config.require_secret("secret"), **config.require_object("store"))
"""
SERVER = """
import sys, botocore.auth, moto.server
botocore.auth.SIGNED_HEADERS_BLACKLIST.remove("user-agent")  # which the SDK of Nexus signs
moto.server.main(["-H", "127.0.0.1", "-p", sys.argv[1]])
"""
S3: Any = S3BlobStore.provider_class
RAW: Any = RawHostedRepository.provider_class


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The inputs of a blob store in it, but for name and bucket."""
    folder, port = tmp_path_factory.mktemp("s3"), free_port()
    url = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [tool("moto", "python"), "-c", SERVER, str(port)]
    process = Process.start(command, record=folder / "process", log=folder / "log")
    try:
        _wait(process, folder / "log", f"{url}/moto-api/")
        key = _access_key(url)
        yield {"endpoint": url, "force_path_style": True, "region": "us-east-1", **key}
    finally:
        process.end()


def _wait(process: Process, log: Path, url: str) -> None:
    deadline = time.monotonic() + 120
    while process.alive and time.monotonic() < deadline:
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the S3 server does not answer: {log.read_text()[-2000:]}")


def _unsigned(service: str) -> dict[str, str]:
    credential = f"Credential=any/20260101/us-east-1/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"}


def _check_signatures(url: str, *, after: int) -> None:
    assert requests.post(f"{url}/moto-api/reset-auth", data=str(after), timeout=30).ok


def listing(url: str, bucket: str) -> str:
    """What is in a bucket, as S3 lists it."""
    _check_signatures(url, after=1)
    answer = requests.get(f"{url}/{bucket}?list-type=2", headers=_unsigned("s3"), timeout=30)
    _check_signatures(url, after=0)
    return answer.text


def _access_key(url: str) -> dict[str, str]:
    """The access key of a user who may do everything in S3; from then on, requests must be signed with it."""
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    user = {"UserName": "nexus", "Version": "2010-05-08"}
    found = ""
    for action, more in (
        ("CreateUser", {}),
        ("PutUserPolicy", {"PolicyName": "all", "PolicyDocument": policy}),
        ("CreateAccessKey", {}),
    ):
        form = {"Action": action, **user, **more}
        answer = requests.post(url, data=form, headers=_unsigned("iam"), timeout=30)
        assert answer.ok, answer.text
        found = answer.text
    _check_signatures(url, after=0)
    parts = {name: re.findall(rf"<{name}>(.*?)</{name}>", found)[0] for name in ("AccessKeyId", "SecretAccessKey")}
    return {"access_key_id": parts["AccessKeyId"], "secret_access_key": parts["SecretAccessKey"]}


class TestS3BlobStore(Lifecycle):
    """From creation to deletion."""

    @pytest.fixture
    def case(self, s3: dict[str, Any]) -> Case:
        first = {"name": named("s3"), "bucket_name": named("bucket"), **s3}
        quota = {"soft_quota_type": "spaceUsedQuota", "soft_quota_limit_bytes": 10 * 2**30}
        return Case(S3, first, {"expiration_days": 7, **quota}, {"max_connection_pool_size": 9})


@pytest.mark.kinds("S3BlobStore")
def test_upload_is_in_the_bucket(nexus: Nexus, connection: Connection, s3: dict[str, Any]) -> None:
    bucket = named("bucket")
    store, raw = Tracked(S3(), connection), Tracked(RAW(), connection)
    assert store.up(name=named("s3"), bucket_name=bucket, bucket_prefix="nexus", **s3) == "create"
    raw.up(name=named("raw"), blob_store_name=store.id, force_destroy=True)
    content = b"some text\n"
    address, login = f"{nexus.url}/repository/{raw.id}/file.txt", (nexus.username, nexus.password)
    assert requests.put(address, data=content, auth=login, timeout=60).ok
    assert requests.get(address, auth=login, timeout=60).content == content
    assert re.search(r"<Key>nexus/content/[^<]*\.bytes</Key>", listing(s3["endpoint"], bucket))
    raw.destroy()
    store.destroy()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"secret_access_key": "wrong-secret-key"}, "secret_access_key: "),
        ({"access_key_id": "AKIAWRONGWRONGWRONG1"}, "access_key_id: "),
        ({"endpoint": "http://127.0.0.1:1"}, "endpoint: "),
    ],
    ids=["secret", "key", "endpoint"],
)
def test_store_that_can_not_be_reached_is_refused_by_property(
    connection: Connection, client: NexusClient, s3: dict[str, Any], inputs: dict[str, Any], said: str
) -> None:
    desired = {"name": named("s3"), "bucket_name": named("bucket"), **s3, **inputs}
    message = refusal(S3, connection, **desired)
    assert said in message
    assert desired["secret_access_key"] not in message
    assert desired["name"] not in [one["name"] for one in client.get("/v1/blobstores")]


@pytest.mark.parametrize("engine", ENGINES)
def test_stack_with_store_is_created_unchanged_and_destroyed(
    nexus: Nexus, client: NexusClient, s3: dict[str, Any], tmp_path: Path, engine: str
) -> None:
    stack = server_stack(engine, tmp_path, PROGRAM, nexus)
    given = {"name": named("s3"), "bucket_name": named("bucket"), **s3}
    stack.set_config("secret", secret := given.pop("secret_access_key"), secret=True)
    stack.set_config("store", given)
    comes_up_and_stays(stack)
    assert given["name"] in [one["name"] for one in client.get("/v1/blobstores")]
    assert secret not in stack.state_file.read_text()
    assert stack.destroy().ok
    assert given["name"] not in [one["name"] for one in client.get("/v1/blobstores")]
