"""Reports a file of Markdown on GitHub or GitLab, whichever runs this job.

    report.py comment FILE       one comment on this job's pull or merge request, updated by later runs
    report.py issue FILE TITLE   one open issue with that title, updated by later runs
    report.py close TITLE        close that issue, if it is open

GitHub: GITHUB_TOKEN with the permission `pull-requests: write` or `issues: write`. GitLab: GITLAB_TOKEN, an access
token of the project with the scope `api` and the role Reporter or higher. Needs Python 3.10 and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGES = 50
TIMEOUT = 30


class Platform:
    """What GitHub and GitLab have in common: comments of a review and issues, by address."""

    comments: str
    issues: str
    body = "body"
    """The field that holds an issue's text."""
    closed: Mapping[str, str]
    """What closes an issue."""

    def __init__(self, api: str, headers: Mapping[str, str]) -> None:
        self.api, self.headers = api, {**headers, "Content-Type": "application/json"}

    def request(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        url = f"{self.api}/{path}"
        if not url.startswith(("https://", "http://")):
            raise SystemExit(f"report: {self.api} is no address of an API.")
        request = urllib.request.Request(url, data, self.headers, method=method)  # noqa: S310 -- checked above
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"report: {method} {url} was refused: {error.code} {error.reason}.") from None
        except (OSError, ValueError) as error:  # also a timeout, or a response that is no JSON
            raise SystemExit(f"report: {method} {url} failed: {getattr(error, 'reason', error)}.") from None

    def listed(self, path: str) -> Iterator[dict[str, Any]]:
        joint = "&" if "?" in path else "?"
        for page in range(1, PAGES + 1):
            found = self.request("GET", f"{path}{joint}per_page=100&page={page}")
            yield from found
            if len(found) < 100:
                return

    def comment(self, text: str) -> None:
        marker = text.partition("\n")[0]
        for one in self.listed(self.comments):
            if (one.get("body") or "").startswith(marker) and self.is_own(one):
                self.edit_comment(one, text)
                return
        self.request("POST", self.comments, {"body": text})

    def issue(self, text: str, title: str) -> None:
        for one in self.open_issues(title):
            self.edit_issue(one, {self.body: text})
            return
        self.request("POST", self.issues, {"title": title, self.body: text})

    def is_own(self, comment: dict[str, Any]) -> bool:
        """Whether this job's account wrote it; a comment of somebody else is left alone."""
        raise NotImplementedError

    def edit_comment(self, comment: dict[str, Any], text: str) -> None:
        raise NotImplementedError

    def open_issues(self, title: str) -> Iterator[dict[str, Any]]:
        raise NotImplementedError

    def edit_issue(self, issue: dict[str, Any], content: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def close(self, title: str) -> None:
        for one in self.open_issues(title):
            self.edit_issue(one, self.closed)


class GitHub(Platform):
    closed = {"state": "closed"}

    def __init__(self, env: Mapping[str, str]) -> None:
        token = env["GITHUB_TOKEN"]
        super().__init__(
            env.get("GITHUB_API_URL", "https://api.github.com"),
            {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
        )
        self.repository = f"repos/{env['GITHUB_REPOSITORY']}"
        event = json.loads(Path(env["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        number = (event.get("pull_request") or {}).get("number")
        self.comments = f"{self.repository}/issues/{number}/comments"
        self.issues = f"{self.repository}/issues"

    def is_own(self, comment: dict[str, Any]) -> bool:
        return bool(comment["user"]["login"] == "github-actions[bot]")

    def edit_comment(self, comment: dict[str, Any], text: str) -> None:
        self.request("PATCH", f"{self.repository}/issues/comments/{comment['id']}", {"body": text})

    def open_issues(self, title: str) -> Iterator[dict[str, Any]]:
        for one in self.listed(f"{self.issues}?state=open"):
            if one["title"] == title and "pull_request" not in one and self.is_own(one):
                yield one

    def edit_issue(self, issue: dict[str, Any], content: Mapping[str, Any]) -> None:
        self.request("PATCH", f"{self.issues}/{issue['number']}", content)


class GitLab(Platform):
    body = "description"
    closed = {"state_event": "close"}

    def __init__(self, env: Mapping[str, str]) -> None:
        super().__init__(env["CI_API_V4_URL"], {"PRIVATE-TOKEN": env["GITLAB_TOKEN"]})
        self.project = f"projects/{env['CI_PROJECT_ID']}"
        self.comments = f"{self.project}/merge_requests/{env.get('CI_MERGE_REQUEST_IID')}/notes"
        self.issues = f"{self.project}/issues"
        self.account = self.request("GET", "user")["id"]

    def is_own(self, comment: dict[str, Any]) -> bool:
        return bool(comment["author"]["id"] == self.account)

    def edit_comment(self, comment: dict[str, Any], text: str) -> None:
        self.request("PUT", f"{self.comments}/{comment['id']}", {"body": text})

    def open_issues(self, title: str) -> Iterator[dict[str, Any]]:
        query = urllib.parse.urlencode({"state": "opened", "search": title, "in": "title"})
        for one in self.listed(f"{self.issues}?{query}"):
            if one["title"] == title and self.is_own(one):
                yield one

    def edit_issue(self, issue: dict[str, Any], content: Mapping[str, Any]) -> None:
        self.request("PUT", f"{self.issues}/{issue['iid']}", content)


def main(arguments: list[str]) -> None:
    kind = GitLab if os.environ.get("GITLAB_CI") else GitHub
    try:
        platform = kind(os.environ)
    except KeyError as error:
        raise SystemExit(f"report: {error.args[0]} is not set. Give it to the job.") from None
    if arguments[:1] == ["comment"] and len(arguments) == 2:
        platform.comment(Path(arguments[1]).read_text(encoding="utf-8"))
    elif arguments[:1] == ["issue"] and len(arguments) == 3:
        platform.issue(Path(arguments[1]).read_text(encoding="utf-8"), arguments[2])
    elif arguments[:1] == ["close"] and len(arguments) == 2:
        platform.close(arguments[1])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
