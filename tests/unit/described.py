"""Inputs for each kind that no real server here has, and the settings of a new server that is played."""

from __future__ import annotations

from typing import Any

HTTP_OFF = {"enabled": False, "host": None, "port": None, "authInfo": None}
LDAP_USER = {"userId": "ada", "firstName": "Ada", "lastName": "L", "emailAddress": "a@b.c", "source": "LDAP",
             "status": "active", "readOnly": True, "roles": [], "externalRoles": ["staff"]}  # fmt: skip
BEFORE: dict[str, Any] = {
    "/v1/http": {"httpProxy": HTTP_OFF, "httpsProxy": None, "userAgent": None, "timeout": 20, "retries": 2,
                 "nonProxyHosts": None},
    "/v1/iq": {"enabled": False, "authenticationType": "USER"},
    "/v1/iq/audit": [],
    "/v1/security/user-tokens": {"enabled": False, "protectContent": False, "expirationEnabled": False,
                                 "expirationDays": 30},
    "/v1/security/atlassian-crowd": {"enabled": False, "realmActive": False},
    "/v1/security/ssrf-protection": {"enabled": True, "allowedIPs": [], "allowedDomains": []},
    "/v1/security/users/ada": LDAP_USER,
}  # fmt: skip
"""The settings of a new server."""
CRON = {"schedule": "cron", "cron_expression": "0 30 2 * * ?"}
DAILY = {"schedule": "daily", "start_date": "2026-01-31T02:30:00+01:00", "cron_expression": None}
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "HttpProxy": ({"http_host": "p", "http_port": 3128, "http_username": "u", "http_password": "pw"},
                  {"https_host": "p", "https_port": 3129, "non_proxy_hosts": ["b", "a"]}),
    "UserTokens": ({}, {"expiration_enabled": True, "expiration_days": 90}),
    "Crowd": ({"url": "https://c", "application_name": "n", "application_password": "pw"}, {"timeout": 60}),
    "Saml": ({"entity_id": "e", "idp_metadata": "<a/>", "username_attribute": "u"}, {"groups_attribute": "g"}),
    "SamlUser": ({"user_id": "ada", "roles": ["nx-anonymous"]}, {"status": "disabled"}),
    "ExternalUser": ({"user_id": "ada", "source": "LDAP", "roles": ["nx-anonymous"]}, {"roles": ["nx-admin"]}),
    "IpAllowlist": ({"mode": "MONITOR", "entries": {"10.0.0.0/8": "office", "::1": ""}},
                    {"mode": "ENFORCE", "entries": {"10.0.0.0/8": "all", "192.0.2.1": ""}}),
    "SsrfProtection": ({"allowed_ips": ["10.0.0.1"]}, {"allowed_domains": ["b.example.com", "a.example.com"]}),
    "Iq": ({"url": "https://iq", "username": "u", "password": "pw"}, {"timeout_seconds": 5}),
    "IqAudit": ({"repository_name": "r"}, {"enabled_quarantine": True}),
    "License": ({"license": "bGljZW5jZQ=="}, {"license": "YW5vdGhlcg=="}),
    "SecretsEncryptionKey": ({"secret_key_id": "one"}, {"secret_key_id": "two"}),
    "Task": ({"name": "t", "type": "repository.cleanup", **CRON}, {**DAILY, "properties": {"a": "b"}}),
    "CompactBlobStoreTask": ({"name": "t", "blob_store_name": "default", **DAILY}, {"blobs_older_than": 3, **CRON,
                             "start_date": None}),
    "MavenRemoveSnapshotsTask": ({"name": "t"}, {"minimum_retained": -1, "grace_period_in_days": 2}),
    "Capability": ({"type": "scheduler", "properties": {"active": "true"}}, {"notes": "one"}),
    "UiSettingsCapability": ({"debug_allowed": True}, {"session_timeout": 0, "title": "Registry"}),
    "CustomS3RegionsCapability": ({"regions": ["b", "a"]}, {"regions": ["c"]}),
    "FirewallAuditCapability": ({"repository": "r"}, {"quarantine": True}),
    "RepositoryWebhookCapability": ({"repository": "r", "url": "https://w", "names": ["asset"], "secret": "one"},
                                    {"names": ["component", "asset"], "secret": "two"}),
    "AuditCapability": ({}, {"enabled": False}),
    "BaseUrlCapability": ({"url": "https://a.example.com"}, {"url": "https://b.example.com"}),
    "DefaultRoleCapability": ({"role": "nx-anonymous"}, {"role": "nx-admin"}),
    "GlobalWebhookCapability": ({"url": "https://w", "names": ["repository", "audit"], "secret": "one"},
                                {"names": ["firewall_quarantine"], "secret": "two"}),
    "HealthCheckCapability": ({}, {"configured_for_all": False, "use_trust_store": True}),
    "OutreachCapability": ({"override_url": "https://o"}, {"override_url": None, "always_remote": True}),
    "RutAuthCapability": ({}, {"http_header": "X-User"}),
    "StorageSettingsCapability": ({}, {"last_downloaded_interval": 24}),
    "UiBrandingCapability": ({"header_enabled": True, "header_html": "<b>\n</b>"},
                             {"header_html": None, "footer_html": "<i/>"}),
    "DockerGarbageCollectionTask": ({"name": "t"}, {"repository_name": "r", "deploy_offset": 0}),
    "DockerUploadPurgeTask": ({"name": "t", **CRON}, {"age": 1}),
    "H2BackupTask": ({"name": "t", "location": "backup", **DAILY}, {"location": "/backup", "schedule": "weekly",
                     "recurring_days": [7, 1]}),
    "LicenseExpirationTask": ({"name": "t"}, {"alert_email": "a@b.c", **DAILY}),
    "MalwareRemediationTask": ({"name": "t", "repository_name": "r"}, {"enable_malware_cleanup": True}),
    "RebuildBrowseTask": ({"name": "t", "repository_name": "*"}, {"enabled": False}),
    "AzureBlobStore": ({"name": "azure", "account_name": "abc", "container_name": "abc"},
                       {"authentication_method": "ACCOUNTKEY", "account_key": "k"}),
    "GoogleBlobStore": ({"name": "google", "bucket_name": "abc", "region": "r"},
                        {"encryption_key": "k", "project_id": "p", "authentication_method": "accountKey",
                         "account_key": "{}"}),
    "BlobStoreGroup": ({"name": "all", "members": ["google", "azure"]},
                       {"members": ["azure", "google"], "fill_policy": "writeToFirst",
                        "soft_quota_type": "spaceUsedQuota", "soft_quota_limit_bytes": 2**40}),
}  # fmt: skip
"""First inputs, and an edit."""
BLIND = {"SecretsEncryptionKey"}
"""Kinds of which the API returns nothing."""
INSERTED_FIRST = {"AzureBlobStore", "BlobStoreGroup", "GoogleBlobStore", "SamlUser"}
"""Kinds that are created without a read."""
SINGLETONS = {"HttpProxy", "UserTokens", "Crowd", "ExternalUser", "IpAllowlist", "SsrfProtection", "Iq", "IqAudit"}
