"""Requests that no browser sends: each is refused in a line, and harms nothing."""

import io
import json
import socket
import struct
import threading
import time
import zlib
from contextlib import ExitStack

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from fpd_mmpose.demos.web import create_app, open_server, server
from screenshots.browser import served
from tests.helpers.raw_http import answer_to, form, request, upload

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 50, 3), np.uint8)
PNG = cv2.imencode('.png', PIXELS)[1].tobytes()
GOOD = upload(PNG)
BOX = dict(people='box', x1='5', y1='5', x2='40', y2='50')


@pytest.fixture(scope='module')
def app(student):
    return create_app([student], kpt_thr=0, max_megabytes=0.5)


@pytest.fixture(scope='module')
def port(app):
    with served(app) as url:
        yield int(url.rsplit(':')[-1].strip('/'))


def png_of(width: int, height: int) -> bytes:
    """A PNG file of a few bytes whose header says how large it is."""
    content = b'\x89PNG\r\n\x1a\n'
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    for kind, data in ((b'IHDR', header), (b'IDAT', b''), (b'IEND', b'')):
        content += struct.pack('>I', len(data)) + kind + data
        content += struct.pack('>I', zlib.crc32(kind + data))
    return content


def png_with_text() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text('Comment', 'x' * 100_000_000, zip=True)
    stream = io.BytesIO()
    Image.new('RGB', (8, 8)).save(stream, 'PNG', pnginfo=info)
    return stream.getvalue()


def chunked(body: bytes) -> bytes:
    kind = 'multipart/form-data; boundary=cut'
    return request(
        body=body, Transfer_Encoding='chunked', Content_Length=None, Content_Type=kind
    )


def part(head: str, content: bytes = b'x') -> bytes:
    body = b'--cut\r\n' + head.encode() + b'\r\n\r\n' + content + b'\r\n--cut--\r\n'
    return request(body=body, Content_Type='multipart/form-data; boundary=cut')


REQUESTS = {
    # What is no request
    'no words': (b'x\r\n\r\n', 400, 'Bad Request'),
    'bytes': (bytes(range(128, 256)) + b'\r\n\r\n', 400, 'Bad Request'),
    'TLS': (b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400, ''),
    'HTTP/2': (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'Bad Request'),
    'version': (request('GET / HTTP/1.x'), 400, 'Bad Request'),
    'URL': (request('GET http://[ HTTP/1.1'), 400, 'Bad Request'),
    'port of URL': (request('GET http://localhost:99999/ HTTP/1.1'), 400, 'Bad'),
    'long line': (request(f'GET /{"x" * 70_000} HTTP/1.1'), 414, ''),
    'long header': (request(Cookie='x' * 70_000), 431, ''),
    'many headers': (request(**{f'X{n}': '1' for n in range(200)}), 431, ''),
    'header without a colon': (b'GET / HTTP/1.1\r\nHost\r\n\r\n', 403, ''),
    # Addresses and methods
    'path': (request('GET /a HTTP/1.1'), 404, 'Not Found'),
    'parent': (request('GET /../../etc/passwd HTTP/1.1'), 404, 'Not Found'),
    'NUL': (request('GET /%00%ff%0d%0a HTTP/1.1'), 404, 'Not Found'),
    'two slashes': (request('GET //predict HTTP/1.1'), 405, 'Not Allowed'),
    'TRACE': (request('TRACE / HTTP/1.1'), 405, 'Not Allowed'),
    'own method': (request('\xe9\x9f /predict HTTP/1.1'), 405, 'Not Allowed'),
    'GET of the form': (request('GET /predict HTTP/1.1'), 405, 'Not Allowed'),
    # Names under which another site may have a browser come
    'other host': (upload(PNG, Host='evil.example'), 403, '"evil.example" is no name'),
    'other host, page': (request('GET / HTTP/1.1', Host='a.b:80'), 403, '"a.b" is no'),
    'longer host': (upload(PNG, Host='localhost.evil.example'), 403, 'is no name'),
    'address': (upload(PNG, Host='192.168.0.9:8000'), 403, 'add it by --allow-host'),
    'no host': (upload(PNG, Host=None), 403, 'is no name'),
    'two hosts': (upload(PNG, Host='localhost', HOST='evil.example'), 403, 'no name'),
    'half a host': (upload(PNG, Host='[::1'), 403, 'is no name'),
    'other site': (upload(PNG, Origin='http://evil.example'), 403, 'another site'),
    'other port': (upload(PNG, Origin='http://localhost:1'), 403, 'another site'),
    'a file': (upload(PNG, Origin='null'), 403, '"null" is another site'),
    'no site': (request('GET / HTTP/1.1', Origin='\x80' * 9_000), 403, 'another site'),
    # Bodies
    'no form': (request(), 400, 'no image was sent'),
    'JSON': (
        request(body=b'[' * 99_999, Content_Type='application/json'), 400, 'no image'
    ),
    'URL-encoded': (
        request(body=b'image=x&', Content_Type='application/x-www-form-urlencoded'),
        400, 'no image was sent',
    ),
    'no boundary': (
        request(body=form(PNG), Content_Type='multipart/form-data'), 400, 'no image'
    ),
    'other boundary': (
        upload(PNG, Content_Type='multipart/form-data; boundary=x'), 400, 'no image'
    ),
    'negative length': (upload(PNG, Content_Length='-5'), 400, 'no image'),
    'length in words': (upload(PNG, Content_Length='ten'), 400, 'no image'),
    'huge length': (upload(PNG, Content_Length='9' * 30), 413, 'larger than 0.5 MB'),
    'half a body': (GOOD[:-200], 400, 'did not arrive whole'),
    'chunk in words': (chunked(b'ten\r\n'), 400, 'did not arrive whole'),
    'negative chunk': (chunked(b'-5\r\n'), 400, 'did not arrive whole'),
    'endless chunks': (
        chunked(b'%x\r\n' % len(form(bytes(10**6))) + form(bytes(10**6))), 413, '0.5 MB'
    ),
    'many parts': (upload(None, {f'a{n}': '' for n in range(2000)}), 413, ''),
    'long field': (upload(None, {'a': 'x' * 502_000}), 413, ''),
    'image as text': (part('Content-Disposition: form-data; name="image"'), 400, 'no'),
    'part without a name': (part('Content-Type: text/plain'), 400, 'no image'),
    'name in another alphabet': (
        part("Content-Disposition: form-data; name=image; filename*=utf-7''%ff%0a+"),
        400, 'is not a JPEG or PNG',
    ),
    # Images
    'empty image': (upload(b''), 400, '"a.png" is empty'),
    'text': (upload(b'<svg onload=alert(1)>'), 400, 'is not a JPEG or PNG image'),
    'half an image': (upload(PNG[: len(PNG) // 2]), 400, '"a.png" is damaged'),
    'long image': (upload(png_of(1, 32_768)), 400, 'a side of more than 32766'),
    'wide image': (upload(png_of(32_768, 1)), 400, 'a side of more than 32766'),
    'huge image': (upload(png_of(2**31 - 1, 2**31 - 1)), 400, 'more than 40 million'),
    'many pixels': (upload(png_of(20_000, 20_000)), 400, 'more than 40 million'),
    'no pixels': (upload(png_of(0, 0)), 400, ''),
    'text that unpacks to 100 MB': (upload(png_with_text()), 400, ''),
    # People and boxes
    'nobody': (upload(PNG, dict(people='x' * 9999)), 400, 'whole, box, or detector'),
    'no detector': (upload(PNG, dict(people='detector')), 400, 'has no detector'),
    'no sides': (upload(PNG, dict(people='box')), 400, 'x1 of the box is missing'),
    'no area': (upload(PNG, dict(BOX, x2='5')), 400, 'has no area'),
    'outside': (upload(PNG, dict(BOX, x1='50', x2='60')), 400, 'is outside of the'),
    'far away': (
        upload(PNG, dict(BOX, x1='-1e30', y1='-1e30', x2='1e30', y2='1e30')),
        400, 'reaches further than 1,048,576 pixels',
    ),
}  # fmt: skip
NUMBERS = {
    **dict.fromkeys(('nan', 'inf', '-Infinity', '3' * 300), 'is not finite'),
    **dict.fromkeys(('1e30', '1e7', '-1e30'), 'reaches further than'),
    **dict.fromkeys(('null', 'true', '"3"', '[1]', '{}', '1,5', '0x10'), 'x2 of the'),
    **dict.fromkeys(('', ' ', '9' * 9999 + 'x', '\0', '\u2028'), 'x2 of the box'),
}


def refused(port: int, content: bytes, code: int, phrase: str) -> None:
    answer = answer_to(content, port)
    assert (answer.code, phrase in answer.error) == (code, True), answer
    assert answer.error.isprintable() and 0 < len(answer.error) < 900
    assert answer.headers['Content-Type'] == 'application/json'
    assert answer.headers['X-Content-Type-Options'] == 'nosniff'


@pytest.fixture(autouse=True)
def quiet(capfd, caplog):
    """No request may end in a traceback, on the console or in the log."""
    yield
    assert 'Traceback' not in ''.join(capfd.readouterr()) + caplog.text


@pytest.mark.parametrize('name', REQUESTS)
def test_a_wrong_request_is_refused_in_a_line(name, port):
    refused(port, *REQUESTS[name])
    assert answer_to(GOOD, port).code == 200


@pytest.mark.parametrize('text', NUMBERS)
def test_sides_of_a_box_are_numbers(text, port):
    # A side below 0 is the left one.
    box = {**BOX, 'x1' if text.startswith('-') else 'x2': text}
    refused(port, upload(PNG, box), 400, NUMBERS[text])
    assert answer_to(upload(PNG, BOX), port).code == 200


def test_the_smallest_image_with_the_largest_box(port):
    dot = cv2.imencode('.png', PIXELS[:1, :1])[1].tobytes()
    for side in ('1048576', '1e-30'):
        box = dict(people='box', x1='0', y1='0', x2=side, y2=side)
        answer = answer_to(upload(dot, box), port)
        assert answer.code == 200
        (found,) = json.loads(answer.body)['networks']
        assert np.isfinite(found['keypoints']).all()


def test_a_client_that_hangs_up_is_none_of_the_console(port):
    for content in (b'', b'GET / HT', GOOD[:100], GOOD):
        with socket.create_connection(('127.0.0.1', port)) as connection:
            connection.sendall(content)
            # Closes with a reset, which is an error in what the server does next.
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)
            )
    assert answer_to(GOOD, port).code == 200


@pytest.mark.parametrize('host', ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])
def test_the_page_is_reached_by_the_names_of_this_machine(host, port):
    for each in (host, f'{host}:{port}'):
        for origin in (None, f'http://{each}'):
            assert answer_to(upload(PNG, Host=each, Origin=origin), port).code == 200


def test_the_page_is_reached_by_names_that_are_allowed(app, monkeypatch):
    monkeypatch.setitem(app.config, 'HOSTS', {*app.config['HOSTS']})
    opened = open_server(app, '127.0.0.2', 0, ['Pose.example', '[fe80::1]'])
    threading.Thread(target=opened.serve_forever, daemon=True).start()
    try:
        for host, code in {
            '127.0.0.2': 200, 'pose.example:80': 200, '[fe80::1]:8000': 200,
            'localhost': 200, 'other.example': 403, '127.0.0.3': 403,
        }.items():  # fmt: skip
            content = request('GET / HTTP/1.1', Host=host)
            assert answer_to(content, opened.port, '127.0.0.2').code == code
    finally:
        opened.shutdown()
        opened.server_close()


@pytest.mark.parametrize('sent', [GOOD[:30], GOOD[:-100], request()[:-2]])
def test_a_client_that_dawdles_is_disconnected(app, monkeypatch, sent):
    monkeypatch.setattr(server, 'DEADLINE', 1.0)
    monkeypatch.setattr(server, 'MAX_CONNECTIONS', 2)
    with served(app) as url, ExitStack() as stack:
        port = int(url.rsplit(':')[-1].strip('/'))
        slow = [
            stack.enter_context(socket.create_connection(('127.0.0.1', port)))
            for _ in range(2)
        ]
        started = time.monotonic()
        for each in slow:
            each.sendall(sent)
        open_ones = list(slow)
        while open_ones and time.monotonic() < started + 30:
            time.sleep(0.1)
            for each in list(open_ones):
                try:
                    each.sendall(b'x')  # never silent for long
                except OSError:
                    open_ones.remove(each)
        assert not open_ones and time.monotonic() - started < 10
        assert answer_to(GOOD, port).code == 200


def test_the_page_cannot_be_framed_or_guessed_at(port):
    headers = answer_to(request('GET / HTTP/1.1'), port).headers
    assert headers['X-Frame-Options'] == 'DENY'
    assert "frame-ancestors 'none'" in headers['Content-Security-Policy']
    assert headers['Cross-Origin-Resource-Policy'] == 'same-origin'
    assert headers['Content-Type'] == 'text/html; charset=utf-8'
