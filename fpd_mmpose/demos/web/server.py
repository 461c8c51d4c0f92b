"""Serves the page."""

import socket
import threading
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler

from fpd_mmpose.errors import UserError

#: Connections that are served at once; others wait to be accepted. Werkzeug reads up to
#: 10 MB of the rest of a rejected request.
MAX_CONNECTIONS = 16
_LOOPBACK = ('127.0.0.1', '::1', 'localhost')


class _Handler(WSGIRequestHandler):
    #: Seconds after which a silent client is disconnected.
    timeout = 30


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


def open_server(app: Flask, host: str, port: int) -> BaseWSGIServer:
    """Listens on a port, 0 for any free one; answers once ``serve_forever`` runs."""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    try:
        # Opened here, because Werkzeug exits if the port is taken.
        with socket.create_server((host, port), family=family) as listening:
            port = listening.getsockname()[1]
            fd = listening.fileno()
            return _Server(host, port, app, _Handler, fd=fd)
    except (OSError, OverflowError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise UserError(
            f'cannot listen on {host}:{port} ({reason}): choose another `port` or '
            '`host`'
        ) from error


def serve(app: Flask, host: str = '127.0.0.1', port: int = 8000) -> None:
    """Serves the page until Ctrl-C, on this machine only by default."""
    server = open_server(app, host, port)
    shown = f'[{host}]' if ':' in host else host
    print(f'http://{shown}:{server.port}/ (press Ctrl-C to stop)', flush=True)
    if host not in _LOOPBACK:
        print('Anyone who can reach this machine can use the page: it has no password.')
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
