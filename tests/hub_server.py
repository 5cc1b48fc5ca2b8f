"""A small Hugging Face Hub for tests: takes a model repository's files by commit, as plain text or by Git LFS."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGE = ".safetensors"  # the Hub has files of this kind uploaded by LFS
COMMIT = "0" * 40


@dataclass
class Hub:
    """files: what a repository holds, by path. refuses: the status that every request gets; 0 for none."""

    address: str = ""
    refuses: int = 0
    repository: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    large: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def serving_hub() -> Iterator[Hub]:
    """The Hub under an address of this machine."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({"id": hub.repository, "sha": COMMIT, "siblings": []})

        def do_PUT(self) -> None:
            content = self._body()
            hub.large[sha256(content).hexdigest()] = content
            self._answer({})

        def do_POST(self) -> None:
            body = self._body()
            if self.path.endswith("/repos/create"):
                asked = json.loads(body)
                hub.repository = f"{asked['organization']}/{asked['name']}"
                self._answer({"url": f"{hub.address}/{hub.repository}"})
            elif self.path.endswith("/validate-yaml"):
                self._answer({"errors": [], "warnings": []})
            elif "/preupload/" in self.path:
                asked = json.loads(body)["files"]
                modes = {file["path"]: "lfs" if file["path"].endswith(LARGE) else "regular" for file in asked}
                files = [{"path": path, "uploadMode": mode, "shouldIgnore": False} for path, mode in modes.items()]
                self._answer({"files": files})
            elif self.path.endswith("/objects/batch"):
                objects = [
                    {**each, "actions": {"upload": {"href": f"{hub.address}/lfs/{each['oid']}", "header": {}}}}
                    for each in json.loads(body)["objects"]
                ]
                self._answer({"transfer": "basic", "objects": objects})
            elif "/commit/" in self.path:
                for line in map(json.loads, body.splitlines()):
                    self._commit(line["key"], line["value"])
                self._answer({"commitUrl": f"{hub.address}/{hub.repository}/commit/{COMMIT}", "commitOid": COMMIT})
            else:
                self._answer({}, 404)

        def _commit(self, kind: str, value: dict[str, Any]) -> None:
            if kind == "file":
                hub.files[value["path"]] = base64.b64decode(value["content"])
            elif kind == "lfsFile":
                hub.files[value["path"]] = hub.large[value["oid"]]

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def _answer(self, value: dict[str, Any], status: int = 200) -> None:
            hub.tokens.add(self.headers.get("Authorization", ""))
            content = json.dumps(value).encode()
            self.send_response(hub.refuses or status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
