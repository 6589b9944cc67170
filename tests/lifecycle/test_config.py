"""The configuration's schema, and options that an engine doesn't have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .conftest import TinyStack, thing

if TYPE_CHECKING:
    from pathlib import Path


def test_missing_values_are_refused(lab: TinyStack) -> None:
    text = (lab.program / "Pulumi.yaml").read_text()
    (lab.program / "Pulumi.yaml").write_text(text + "  needed: {type: string}\n")
    assert lab.stack.up().error.endswith("Stack 'dev' is missing configuration value 'needed'")
    (lab.program / "Pulumi.yaml").write_text(text + "  needed: {type: string}\n  also: {type: string}\n")
    assert lab.stack.preview().error.endswith("Stack 'dev' is missing configuration values 'also' and 'needed'")


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("size", "many", "integer"),
        ("size", True, "integer"),
        ("loud", "perhaps", "boolean"),
        ("things", "a", "array<object>"),
        ("things", ["a"], "array<object>"),
        ("server", ["a"], "string"),
    ],
)
def test_value_of_wrong_type_is_refused(lab: TinyStack, key: str, value: Any, wanted: str) -> None:
    lab.stack.set_config(key, value)
    assert lab.stack.up().error.endswith(f"with configuration key '{key}' must be of type '{wanted}'")


def test_secrets_must_be_encrypted(lab: TinyStack) -> None:
    lab.stack.set_config("password", "open")
    assert lab.stack.up().error.endswith("with configuration key 'password' must be encrypted as it's secret")


@pytest.mark.parametrize(("size", "loud"), [(7, True), ("7", "true"), (-7, False)])
def test_values_are_read_with_defaults(lab: TinyStack, size: Any, loud: Any) -> None:
    lab.stack.set_config("size", size)
    lab.stack.set_config("loud", loud)
    result = lab.stack.up()
    assert result.ok
    assert lab.stack.outputs()["size"] == int(size)
    assert ("loud indeed" in result.stdout) == (str(loud).lower() == "true")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"retain_on_delete": True}, "retainOnDelete"),
        ({"custom_timeouts": {"create": "5m"}}, "customTimeouts"),
        ({"ignore_changes": ["a.b"]}, "ignoreChanges"),
        ({"replace_on_changes": ["color"]}, "replaceOnChanges"),
        ({"import_": "x"}, "importId"),
        ({"version": "1", "plugin_download_url": "https://example.org"}, "pluginDownloadURL"),
    ],
)
def test_unsupported_options_fail(tmp_path: Path, options: dict[str, Any], named: str) -> None:
    lab = TinyStack("sandbox", tmp_path)
    lab.things(thing("a", options=options))
    failed = lab.stack.up()
    assert not failed.ok
    assert "the sandbox engine doesn't have" in failed.error
    assert named in failed.error
    assert lab.names() == []


@pytest.mark.parametrize(
    "program",
    [
        "import pulumi; pulumi.runtime.invoke('a:b:c', {})",
        "import pulumi; pulumi.CustomResource('a:b:C', 'x', {})",
        "from pulumi_command import local; local.Command('x', create='true')",
    ],
)
def test_unsupported_calls_fail(tmp_path: Path, program: str) -> None:
    lab = TinyStack("sandbox", tmp_path)
    (lab.program / "__main__.py").write_text(program)
    failed = lab.stack.up()
    assert "the sandbox engine " in failed.error
