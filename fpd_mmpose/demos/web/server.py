"""Serves the page."""

import io
import json
import socket
import threading
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.urls import uri_to_iri

from fpd_mmpose.demos.web.app import LOOPBACK
from fpd_mmpose.errors import UserError

#: Connections that are served at once; others wait to be accepted. Werkzeug reads up to
#: 10 MB of the rest of a rejected request.
MAX_CONNECTIONS = 16
#: Seconds in which a request must arrive, however steadily it does.
DEADLINE = 120


class _Arriving(io.RawIOBase):
    """What a client sends; it may neither pause nor go on for long."""

    def __init__(self, connection: socket.socket, pause: float) -> None:
        self._connection, self._pause = connection, pause
        self._end = time.monotonic() + DEADLINE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(min(left, self._pause))
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(self._pause)


class _Handler(WSGIRequestHandler):
    #: Seconds after which a silent client is disconnected.
    timeout = 30
    #: For errors that are found before the version is known.
    default_request_version = 'HTTP/1.0'
    rfile: Any

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Arriving(self.connection, self.timeout))

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        try:
            uri_to_iri(self.path)
        except ValueError:  # which Werkzeug does not expect
            del self.path
            self.send_error(400)
            return False
        return True

    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> None:
        """Answers what is no request of HTTP/1, in a line like the application."""
        status = HTTPStatus(code if code < 500 else 400)
        text = json.dumps(dict(error=f'{status.value} {status.phrase}')).encode()
        self.send_response(status.value)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(text)))
        self.send_header('X-Content-Type-Options', 'nosniff')
        self.send_header('Connection', 'close')
        self.end_headers()
        self.wfile.write(text)


class _Server(ThreadedWSGIServer):
    """A server with a bounded number of threads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._free.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


def open_server(
    app: Flask, host: str, port: int, names: Sequence[str] = ()
) -> BaseWSGIServer:
    """Listens on a port, 0 for any free one; answers once ``serve_forever`` runs.

    Requests must be for ``host``, for this machine alone, or for one of ``names``.
    """
    app.config['HOSTS'] |= {name.strip('[]').lower() for name in (host, *names)}
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    try:
        # Opened here, because Werkzeug exits if the port is taken.
        with socket.create_server((host, port), family=family) as listening:
            port = listening.getsockname()[1]
            fd = listening.fileno()
            return _Server(host, port, app, _Handler, fd=fd)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise UserError(
            f'cannot listen on {host}:{port} ({reason}): choose another `port` or '
            '`host`'
        ) from error


def serve(
    app: Flask, host: str = '127.0.0.1', port: int = 8000, names: Sequence[str] = ()
) -> None:
    """Serves the page until Ctrl-C, on this machine only by default.

    See :func:`open_server` for ``names``.
    """
    server = open_server(app, host, port, names)
    shown = f'[{host}]' if ':' in host else host
    print(f'http://{shown}:{server.port}/ (press Ctrl-C to stop)', flush=True)
    if host not in LOOPBACK:
        print('Anyone who can reach this machine can use the page: it has no password.')
    if host in ('0.0.0.0', '::') and not names:
        print('Others are refused until --allow-host gives the name in their URL.')
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
