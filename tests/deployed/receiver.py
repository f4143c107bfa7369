"""A company's own server: keeps what comes in, and knows what a right signature is."""

import base64
import hashlib
import hmac
import http.server
import json
import queue
import threading

PATIENCE = 120
"""Seconds that a delivery may take: the schedule comes once a minute."""


class Receiver:
    """A server on loopback; the end of the `with` ends it."""

    def __init__(self):
        received = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.put((self.headers, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.received = received
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()

    def wait(self, secret, events):
        """Waits until each of these events has come in, rightly signed."""
        missing = set(events)
        while missing:
            try:
                headers, body = self.received.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"no delivery of {missing}") from None
            assert headers["X-Voki-Signature"] == "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            key = base64.b64decode(secret.removeprefix("whsec_"))
            assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
            missing.discard(json.loads(body)["event"])
