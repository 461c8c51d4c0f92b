"""Requests as bytes, right or wrong, and what a server answers."""

import json
import socket
from http.client import HTTPException, HTTPResponse
from typing import NamedTuple


class Answer(NamedTuple):
    """What a server sends back: 0 and nothing if it only hangs up."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        """The error in the answer, which has nothing else."""
        content = json.loads(self.body)
        assert list(content) == ['error'], content
        return content['error']


def request(
    line: str = 'POST /predict HTTP/1.1', body: bytes = b'', **headers: str | None
) -> bytes:
    """Writes a request; headers that are None are left out."""
    given = {'Host': 'localhost', 'Content-Length': str(len(body))}
    given.update({name.replace('_', '-'): text for name, text in headers.items()})
    lines = [
        line,
        *(f'{name}: {text}' for name, text in given.items() if text is not None),
    ]
    return '\r\n'.join([*lines, '', '']).encode('latin-1') + body


def form(image: bytes | None, fields: dict[str, str] | None = None) -> bytes:
    """Writes the form of the page, whose parts are between lines of "--cut"."""
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode()
        for name, text in (fields or {}).items()
    ]
    if image is not None:
        head = b'Content-Disposition: form-data; name="image"; filename="a.png"'
        parts.append(head + b'\r\n\r\n' + image)
    return b''.join(b'--cut\r\n' + part + b'\r\n' for part in parts) + b'--cut--\r\n'


def upload(
    image: bytes | None, fields: dict[str, str] | None = None, **headers: str | None
) -> bytes:
    """Writes a request with the form of the page."""
    headers = {'Content_Type': 'multipart/form-data; boundary=cut', **headers}
    return request(body=form(image, fields), **headers)


def answer_to(content: bytes, port: int, host: str = '127.0.0.1') -> Answer:
    """Sends bytes, says that there are no more, and reads the answer."""
    with socket.create_connection((host, port), timeout=60) as connection:
        try:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all of it was sent
        found = HTTPResponse(connection)
        try:
            found.begin()
            return Answer(found.status, dict(found.getheaders()), found.read())
        except (HTTPException, ConnectionError):
            return Answer(0, {}, b'')
