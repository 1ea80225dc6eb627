"""The way from a client to the S3 server, on which each request can be watched, and who sends it killed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What is told of a request: "before PUT /bucket/key?partNumber=2" when it is handed on, and the same with "after" when
# it was and is not answered yet. A watch that raises ends it there.
Watch = Callable[[str], None]
_OF_ONE_HOP = {"connection", "transfer-encoding"}


@contextmanager
def wire_to(endpoint: str, watch: Watch) -> Iterator[str]:
    """The address of a server that hands each request on to the endpoint, one after the other."""
    at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def hand_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with at_a_time:
                watch(f"before {self.command} {self.path}")
                server = HTTPConnection(endpoint.removeprefix("http://"))
                server.request(self.command, self.path, body, dict(self.headers))
                answer = server.getresponse()
                content = answer.read()
                server.close()
                watch(f"after {self.command} {self.path}")
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in _OF_ONE_HOP:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = hand_on  # noqa: N815 - named by http.server

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that was killed takes no answer."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
