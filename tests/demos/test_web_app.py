"""The server of the web demo."""

import base64
import io
import re
import socket
import threading
import urllib.request
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack

import cv2
import numpy as np
import pytest

from fpd_mmpose.demos import person_boxes
from fpd_mmpose.demos.web import app as web_app
from fpd_mmpose.demos.web import create_app, open_server, server, upload
from fpd_mmpose.errors import UserError
from screenshots.browser import served
from tests.helpers.small_detector import CONFIG, save_weights


@pytest.fixture(scope='module')
def client(student, teacher):
    return create_app([student, teacher], kpt_thr=0, max_megabytes=0.5).test_client()


def send(client, content: bytes, name: str = 'person.png', **form: str):
    data = dict(form, image=(io.BytesIO(content), name))
    return client.post('/predict', data=data)


def decoded(url: str) -> np.ndarray:
    kind, content = url.split(';base64,')
    assert kind == 'data:image/jpeg'
    return cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), 1)


def test_the_page_loads_nothing_from_elsewhere(client):
    answer = client.get('/')
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and '<h1>' in page
    assert not re.search(r'(src|href)="(?!data:)', page) and '://' not in page
    policy = answer.headers['Content-Security-Policy']
    assert "default-src 'none'" in policy and 'unsafe-inline' not in policy
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy)[1]
    assert page.count(f'nonce="{nonce}"') == 2
    assert (
        'student: small_student' in page and 'detector' not in page.split('<script')[0]
    )


def test_every_field_of_the_page_has_a_label(client):
    page = client.get('/').get_data(as_text=True)
    labeled = set(re.findall(r'<label for="(\w+)"', page))
    assert {'image', 'x1', 'y1', 'x2', 'y2'} <= labeled
    assert 'role="status"' in page and 'role="alert"' in page and 'lang="en"' in page


def test_it_returns_the_keypoints_that_the_networks_find(
    client, student, teacher, image_file
):
    found = send(client, image_file.read_bytes()).json
    image = cv2.imread(str(image_file))
    assert (found['name'], found['width'], found['height']) == ('person.png', 90, 120)
    assert found['people'] == 1
    for network, shown in zip((student, teacher), found['networks'], strict=True):
        expected = network(image).people
        assert (shown['label'], shown['name']) == (network.label, network.name)
        np.testing.assert_allclose(shown['keypoints'], expected.keypoints, atol=0.06)
        np.testing.assert_allclose(shown['scores'], expected.keypoint_scores, atol=1e-3)
        assert shown['milliseconds'] > 0
        assert shown['drawn'] == (expected.keypoint_scores >= 0).sum()
        # Enlarged, so that lines are thin compared to the person.
        assert decoded(shown['skeletons']).shape == (480, 360, 3)
        assert decoded(shown['heatmap']).shape == (480, 360, 3)


def test_a_box_selects_the_person(client, student, image_file):
    sides = dict(x1='10', y1='20.5', x2='70', y2='110')
    found = send(client, image_file.read_bytes(), people='box', **sides).json
    expected = student(cv2.imread(str(image_file)), [[10, 20.5, 70, 110]]).people
    shown = found['networks'][0]['keypoints']
    np.testing.assert_allclose(shown, expected.keypoints, atol=0.06)


def test_the_page_offers_a_detector(student, image_file, tmp_path):
    config = tmp_path / 'rtmdet_small.py'
    config.write_text(CONFIG)
    weights = save_weights(str(config), tmp_path / 'rtmdet_small.pth')
    people = person_boxes(str(config), weights, 'cpu', score_thr=0)
    client = create_app([student], people).test_client()
    assert 'value="detector"' in client.get('/').get_data(as_text=True)
    found = send(client, image_file.read_bytes(), people='detector').json
    assert found['people'] == len(people(cv2.imread(str(image_file)))) > 0


def test_images_are_processed_one_at_a_time(client, student, image_file, monkeypatch):
    inside, most = [], []
    call = type(student).__call__

    def counted(self, *args, **kwargs):
        inside.append(self)
        most.append(len(inside))
        result = call(self, *args, **kwargs)
        inside.pop()
        return result

    monkeypatch.setattr(type(student), '__call__', counted)
    content = image_file.read_bytes()
    app = client.application
    threads = [
        threading.Thread(target=send, args=(app.test_client(), content))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 8 and max(most) == 1


def test_too_many_uploads_at_once_are_rejected(student, image_file, monkeypatch):
    monkeypatch.setattr(web_app, 'MAX_UPLOADS', 2)
    app = create_app([student])
    working, go_on = threading.Event(), threading.Event()
    call = type(student).__call__

    def slow(self, *args, **kwargs):
        working.set()
        assert go_on.wait(60)
        return call(self, *args, **kwargs)

    monkeypatch.setattr(type(student), '__call__', slow)
    content = image_file.read_bytes()
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(send, app.test_client(), content) for _ in range(3)]
        done, _ = wait(answers, 60, FIRST_COMPLETED)
        (rejected,) = done
        assert 'try again in a minute' in error_of(rejected.result(), 503)
        assert working.wait(60)
        go_on.set()
        codes = sorted(answer.result().status_code for answer in answers)
    assert codes == [200, 200, 503]
    # Places are free again, also after errors.
    for _ in range(3):
        assert send(app.test_client(), b'text').status_code == 400
    assert send(app.test_client(), content).status_code == 200


def test_connections_are_limited_and_silent_ones_are_closed(client, monkeypatch):
    monkeypatch.setattr(server, 'MAX_CONNECTIONS', 2)
    monkeypatch.setattr(server._Handler, 'timeout', 0.5)
    with served(client.application) as url, ExitStack() as stack:
        port = int(url.rsplit(':')[-1].strip('/'))
        before = threading.active_count()
        silent = [
            stack.enter_context(socket.create_connection(('127.0.0.1', port)))
            for _ in range(6)
        ]
        with urllib.request.urlopen(url, timeout=60) as answer:
            assert answer.status == 200
        assert threading.active_count() <= before + 2
        for connection in silent:
            connection.settimeout(60)
            assert connection.recv(1) == b''


# --- Errors --------------------------------------------------------------------------


def error_of(answer, code: int = 400) -> str:
    assert answer.status_code == code
    assert list(answer.json) == ['error']
    return answer.json['error']


def test_uploads_that_are_not_images(client, monkeypatch):
    assert 'choose one first' in error_of(client.post('/predict'))
    assert '"a.png" is empty' in error_of(send(client, b'', 'a.png'))
    svg = error_of(send(client, b'<svg onload=alert(1)>', 'a.svg'))
    assert '"a.svg" is not a JPEG or PNG image' in svg
    large = send(client, b'x' * 600_000)
    assert 'larger than 0.5 MB' in error_of(large, 413)
    # A small file with many pixels is rejected by its header.
    monkeypatch.setattr(upload, 'MAX_PIXELS', 1_000_000)
    content = cv2.imencode('.png', np.zeros((1001, 1000, 3), np.uint8))[1].tobytes()
    assert 'more than 1 million pixels' in error_of(send(client, content))


def test_unusable_boxes(client, image_file):
    content = image_file.read_bytes()
    sides = dict(people='box', x1='10', y1='10', x2='50', y2='50')
    for change, expected in (
        (dict(x2=''), 'x2 of the box is missing'),
        (dict(y1='ten'), 'y1 of the box is "ten"'),
        (dict(x1='nan'), 'is not finite'),
        (dict(x2='5'), 'has no area'),
        (dict(x1='900', x2='950'), 'outside of the image of 90x120'),
        (dict(people='detector'), 'no detector'),
        (dict(people='nobody'), 'whole, box, or detector'),
    ):
        assert expected in error_of(send(client, content, **dict(sides, **change)))


def test_unknown_addresses(client):
    assert '404' in error_of(client.get('/etc/passwd'), 404)
    assert '405' in error_of(client.get('/predict'), 405)


def test_a_failure_reveals_no_details(client, student, image_file, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError('a path of the server')

    monkeypatch.setattr(type(student), '__call__', broken)
    assert 'path' not in error_of(send(client, image_file.read_bytes()), 500)


def test_a_port_in_use(client):
    server = open_server(client.application, '127.0.0.1', 0)
    try:
        with pytest.raises(UserError, match='choose another `port`') as error:
            open_server(client.application, '127.0.0.1', server.port)
        assert '\n' not in str(error.value)
    finally:
        server.server_close()
    with pytest.raises(UserError, match='cannot listen on'):
        open_server(client.application, '127.0.0.1', 99999)
