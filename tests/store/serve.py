#!/usr/bin/env python3
"""An S3 server on loopback for tests, and a proxy before it that makes the faults it is asked for.

Prints one line of JSON when both take requests, and ends when its standard input does:

    {"endpoint": "http://127.0.0.1:40001", "faulty": "http://127.0.0.1:40002"}

Through `endpoint` everything works. Through `faulty` everything works, too, but for what the rules say that were given by
`POST /_faults` (a JSON list, which replaces the rules before):

    {"method": "PUT", "key": "manifest", "skip": 0, "times": 1, "fault": "lose"}

A rule is for requests of its method ("" for any) whose path and query, `/bucket/key?query`, has a place that `key`, a
regular expression, fits. It lets `skip` of them pass, then acts on `times` of them (-1: on all the rest). Faults:

    status    answers `status` (503, 403, …) and does nothing else
    cut       sends the first half of the answer's body, then closes the connection
    lose      does what is asked, then closes the connection without an answer
    refuse    closes the connection without doing anything
    delay     waits `seconds`, then does what is asked
    late      does what is asked, then waits `seconds` before it answers
    replace   puts other bytes of the same length in the object's place, then does what is asked

`GET /_requests` lists what was asked of the proxy since its rules were given: method, path, range, the status answered and
the fault made.
"""

import http.client
import http.server
import io
import json
import re
import sys
import threading
import time

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log(self, *_):
        pass


def one_at_a_time(application):
    """Conditions are checked and met as one, as S3 does it: a request is read whole, then answered whole."""
    turn = threading.Lock()

    def answer(environ, start_response):
        is_chunked = environ.pop("HTTP_TRANSFER_ENCODING", "") == "chunked"
        body = environ["wsgi.input"].read(*[] if is_chunked else [int(environ.get("CONTENT_LENGTH") or 0)])
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        with turn:
            return [b"".join(application(environ, start_response))]

    return answer


class Faults:
    """The rules in force and what was asked since they are."""

    def __init__(self):
        self.guard = threading.Lock()
        self.rules, self.requests = [], []

    def set(self, rules):
        with self.guard:
            self.rules, self.requests = rules, []

    def next(self, method, path):
        """The rule that acts on a request, if any does."""
        with self.guard:
            for rule in self.rules:
                if rule.get("method", "") in ("", method) and re.search(rule.get("key", ""), path):
                    if rule.get("skip", 0) > 0:
                        rule["skip"] -= 1
                    elif rule.get("times", 1) != 0:
                        rule["times"] = rule.get("times", 1) - 1
                        return rule
        return {}

    def note(self, request):
        with self.guard:
            self.requests.append(request)


def proxy(port, faults):
    """The class that answers a connection to the proxy of the server at a port."""

    def ask(method, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    class Proxy(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def reply(self, status, headers, body, cut=False):
            self.send_response_only(status)
            has_length = False
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "connection"):
                    has_length |= name.lower() == "content-length"
                    self.send_header(name, value)
            if not has_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection |= cut

        def command_of_a_test(self, body):
            if self.path == "/_faults":
                faults.set(json.loads(body))
                self.reply(200, [], b"")
            else:
                self.reply(200, [("Content-Type", "application/json")], json.dumps(faults.requests).encode())

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.startswith("/_"):
                return self.command_of_a_test(body)
            rule = faults.next(self.command, self.path)
            fault = rule.get("fault", "")
            noted = {"method": self.command, "path": self.path, "range": self.headers.get("Range"), "fault": fault}
            headers = [(name, value) for name, value in self.headers.items() if name.lower() != "connection"]
            if fault in ("status", "refuse"):
                faults.note(noted | {"status": rule.get("status", 503) if fault == "status" else None})
                if fault == "status":
                    code = {403: "AccessDenied", 404: "NoSuchKey"}.get(rule.get("status"), "SlowDown")
                    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>asked for</Message></Error>"
                    return self.reply(rule.get("status", 503), [("Content-Type", "application/xml")], text.encode())
                self.close_connection = True
                return None
            if fault == "delay":
                time.sleep(rule["seconds"])
            if fault == "replace":
                path = self.path.split("?")[0]
                signed = {"Authorization": self.headers.get("Authorization", "")}
                _, _, before = ask("GET", path, None, signed)
                ask("PUT", path, bytes([before[0] ^ 1]) + before[1:], signed)
            status, answered, body = ask(self.command, self.path, body, dict(headers))
            faults.note(noted | {"status": status})
            if fault == "late":
                time.sleep(rule["seconds"])
            if fault == "lose":
                self.close_connection = True
                return None
            return self.reply(status, answered, body, cut=fault == "cut")

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

    return Proxy


class ProxyServer(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, *_):
        pass  # the client has gone, as one that was killed


def main():
    application = one_at_a_time(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    before = ProxyServer(("127.0.0.1", 0), proxy(server.server_port, Faults()))
    for each in (server, before):
        threading.Thread(target=each.serve_forever, daemon=True).start()
    endpoints = {"endpoint": server.server_port, "faulty": before.server_port}
    print(json.dumps({name: f"http://127.0.0.1:{port}" for name, port in endpoints.items()}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
