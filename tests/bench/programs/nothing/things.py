"""A dynamic resource that calls nothing."""

from typing import Any

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

INPUTS = {"name": "nothing", "online": True, "adopt": False, "roles": ["a", "b"], "blob_store": "default"}


class NothingProvider(ResourceProvider):
    """Takes and returns its inputs."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("nothing", props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=_olds["description"] != _news["description"])

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_news)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        return ReadResult(id_, props)


class Nothing(Resource):
    """Nothing."""

    def __init__(self, name: str, **inputs: Any) -> None:
        super().__init__(NothingProvider(), name, {**INPUTS, **inputs})
