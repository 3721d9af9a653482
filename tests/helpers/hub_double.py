"""Double of the Hugging Face hub: the endpoints that a push and a pull use, on this machine."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_ThisTokenIsOnlyKnownToTheDouble"
Files = dict[str, bytes]


@dataclass
class Repo:
    """Repository: files of each commit, the latest last."""

    private: bool = False
    gated: bool = False
    commits: dict[str, Files] = field(default_factory=dict)

    def commit(self, changed: Files) -> str:
        """Add a commit; returns its id."""
        files = {**(list(self.commits.values())[-1] if self.commits else {}), **changed}
        digest = hashlib.sha1(f"{len(self.commits)}".encode())
        for name, content in sorted(files.items()):
            digest.update(name.encode() + content)
        self.commits[digest.hexdigest()] = files
        return digest.hexdigest()

    def resolve(self, revision: str) -> str | None:
        """Commit of a revision; None if there is none."""
        if revision == "main" and self.commits:
            return list(self.commits)[-1]
        return revision if revision in self.commits else None


@dataclass
class Hub:
    """State of the double.

    Attributes:
        repos: Repositories by `OWNER/NAME`.
        requests: Method and path of every request.
        url: Address of the server.
    """

    repos: dict[str, Repo] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, format: str, *args: Any) -> None:
        pass

    @property
    def known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def answer(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fail(self, status: int, code: str, message: str) -> None:
        self.answer(status, {"error": message}, {"X-Error-Code": code, "X-Error-Message": message})

    def repo(self, name: str) -> Repo | None:
        """A repository that this request may see; otherwise the error is sent."""
        found = self.hub.repos.get(name)
        if found is None or (found.private and not self.known):
            self.fail(404 if self.known else 401, "RepoNotFound", "Repository not found")
            return None
        if found.gated and not self.known:
            self.fail(401, "GatedRepo", "Access to this model is restricted")
            return None
        return found

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.hub.requests.append(f"{self.command} {path}")
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            self.info(found[1], found[2] or "main")
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self.file(*found.groups())
        else:
            self.fail(404, "NotFound", path)

    def info(self, name: str, revision: str) -> None:
        repo = self.repo(name)
        if repo is None:
            return
        commit = repo.resolve(revision)
        if commit is None:
            self.fail(404, "RevisionNotFound", "Invalid rev id")
            return
        siblings = [
            {"rfilename": file, "size": len(content), "blobId": hashlib.sha1(content).hexdigest()}
            for file, content in repo.commits[commit].items()
        ]
        self.answer(
            200,
            {"id": name, "modelId": name, "sha": commit, "siblings": siblings, "tags": []},
        )

    def file(self, name: str, revision: str, file: str) -> None:
        repo = self.repo(name)
        if repo is None:
            return
        commit = repo.resolve(revision)
        if commit is None:
            self.fail(404, "RevisionNotFound", "Invalid rev id")
        elif file not in repo.commits[commit]:
            self.fail(404, "EntryNotFound", "Entry not found")
        else:
            content = repo.commits[commit][file]
            etag = f'"{hashlib.sha1(content).hexdigest()}"'
            self.answer(200, content, {"ETag": etag, "X-Repo-Commit": commit})

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        self.hub.requests.append(f"POST {path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if path == "/api/validate-yaml":
            self.answer(200, {"errors": [], "warnings": []})
        elif not self.known:
            self.fail(401, "", "Invalid username or password.")
        elif path == "/api/repos/create":
            self.create(json.loads(body))
        elif found := re.fullmatch(r"/api/models/(.+?)/preupload/main", path):
            files = json.loads(body)["files"]
            modes = [{"path": file["path"], "uploadMode": "regular"} for file in files]
            self.answer(200, {"files": [{**mode, "shouldIgnore": False} for mode in modes]})
        elif found := re.fullmatch(r"/api/models/(.+?)/commit/main", path):
            self.commit(found[1], body)
        else:
            self.fail(404, "NotFound", path)

    def create(self, wanted: dict[str, Any]) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        status = 409 if name in self.hub.repos else 200
        private = wanted.get("visibility") == "private" or wanted.get("private") is True
        self.hub.repos.setdefault(name, Repo(private=private))
        self.answer(status, {"url": f"{self.hub.url}/{name}", "name": name, "id": name})

    def commit(self, name: str, body: bytes) -> None:
        lines = [json.loads(line) for line in body.splitlines()]
        changed = {
            line["value"]["path"]: base64.b64decode(line["value"]["content"])
            for line in lines
            if line["key"] == "file"
        }
        commit = self.hub.repos[name].commit(changed)
        url = f"{self.hub.url}/{name}/commit/{commit}"
        self.answer(200, {"success": True, "commitOid": commit, "commitUrl": url})


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A running double."""
    hub = Hub()
    handler = type("BoundHandler", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
