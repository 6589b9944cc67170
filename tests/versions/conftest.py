"""The server of the contract tests, for what needs the newest API: one fixture, so one server a session."""

from __future__ import annotations

from tests.contract.conftest import admin as admin
from tests.contract.conftest import client as client
from tests.contract.conftest import connection as connection
from tests.contract.conftest import nexus as nexus
from tests.contract.conftest import signing_key as signing_key
