"""What writes to Nexus by its API and is no resource, and why: for the coverage table and its test.

What a kind sends is in the ``operations`` of its provider.
Nothing that runs in a stack imports this module.
"""

from __future__ import annotations

from collections.abc import Mapping

_ASKS = "asks, and changes nothing"
_RUNS = "does something once, and configures nothing"
_CONTENT = "content of repositories"
_MIGRATION = "part of Sonatype's migration between servers"

NOT_RESOURCES: Mapping[str, str] = {
    "PUT /beta/data-store": "the server's database, which is given to it before it starts",
    "POST /internal/ui/security/access-check": _ASKS,
    "PUT /v1/apikeys/encryption/re-encrypt": _RUNS,
    "POST /v1/azureblobstore/test-connection": _ASKS,
    "POST /v1/blobstores/group/convert/{name}/{newNameForOriginal}": _RUNS,
    "POST /v1/cleanup/run": _RUNS,
    "POST /v1/components": _CONTENT,
    "PUT /v1/configuration": _MIGRATION,
    "POST /v1/configuration/assets/{repositoryName}/import": _MIGRATION,
    "POST /v1/configuration/cipher": _MIGRATION,
    "POST /v1/configuration/transfer-complete": _MIGRATION,
    "POST /v1/email/verify": _ASKS,
    "POST /v1/iq/capabilities/test": _ASKS,
    "POST /v1/iq/disable": "the property enabled of Iq",
    "POST /v1/iq/enable": "the property enabled of Iq",
    "POST /v1/iq/test-new-connection": _ASKS,
    "POST /v1/iq/verify-connection": _ASKS,
    "PUT /v1/lifecycle/bounce": _RUNS,
    "PUT /v1/lifecycle/phase": _RUNS,
    "POST /v1/plan": _RUNS,
    "PUT /v1/plan": _RUNS,
    "PUT /v1/plan/{planId}": _RUNS,
    "POST /v1/recovery-mode": "a state for repairs, which nothing returns",
    "POST /v1/repositories/{repositoryName}/health-check": "HealthCheckCapability, for one repository",
    "POST /v1/repositories/{repositoryName}/invalidate-cache": _RUNS,
    "POST /v1/repositories/{repositoryName}/rebuild-index": _RUNS,
    "POST /v1/script/{name}/run": _RUNS,
    "POST /v1/security/atlassian-crowd/clear-cache": _RUNS,
    "POST /v1/security/atlassian-crowd/verify-connection": _ASKS,
    "POST /v1/security/ip-allowlist/entries/bulk": "the entries of IpAllowlist, as CSV",
    "POST /v1/security/ldap/verify-login": _ASKS,
    "POST /v1/security/users/{userId}/{realm}/user-token": "issues a token, whose pass code is returned only once",
    "POST /v1/staging/delete": _CONTENT,
    "POST /v1/staging/move/{destination}": _CONTENT,
    "POST /v1/support/supportzip": _ASKS,
    "POST /v1/support/supportzippath": _RUNS,
    "POST /v1/tags": _CONTENT,
    "PUT /v1/tags/{name}": _CONTENT,
    "POST /v1/tags/associate/{tagName}": _CONTENT,
    "POST /v1/tasks/{id}/run": _RUNS,
    "POST /v1/tasks/{id}/stop": _RUNS,
}
"""Every POST and PUT of the API of Nexus 3.94 that no kind sends."""
