"""Requests to the web demo, byte by byte."""

import json
import threading
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from fpd_mmpose.demos import PoseNetwork
from fpd_mmpose.demos.web import create_app, open_server
from fpd_mmpose.errors import UserError
from fuzzing.mutations import damaged_bytes, strange_value
from fuzzing.subjects import Subject, Target
from tests.helpers.raw_http import answer_to, request, upload
from tests.helpers.reduced import reduced_config

_BOX = dict(people='box', x1='2', y1='3', x2='20', y2='25.5')
_TEXTS = (
    'localhost', 'localhost:1', '[::1', 'http://localhost', 'null', 'chunked', '-1',
    '1e30', '-1e30', '1_0', 'inf', 'whole', 'detector', '100-continue', 'gzip',
    'multipart/form-data; boundary=', 'multipart/mixed; boundary="cut', '\xff', '',
)  # fmt: skip
_HEADERS = (
    'Host', 'Origin', 'Content_Length', 'Content_Type', 'Transfer_Encoding', 'Expect',
    'Connection', 'Range', 'Cookie', 'Content_Encoding', 'Upgrade',
)  # fmt: skip
_LINES = (
    'GET / HTTP/1.1', 'POST /predict HTTP/1.0', 'GET /predict', 'PUT / HTTP/1.1',
    'POST http://localhost/predict HTTP/1.1', 'POST * HTTP/1.1', 'OPTIONS / HTTP/1.1',
)  # fmt: skip


def _text(rng: Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(_TEXTS)
    text = str(strange_value(rng))[:200] if rng.random() < 0.9 else '9' * 5000
    return text.encode('latin-1', 'replace').decode('latin-1')


def small_network(folder: Path) -> PoseNetwork:
    """Makes a network with random weights, as the demos load it."""
    init_default_scope('mmpose')
    config = reduced_config('hourglass/hg4_128_mpii.py', folder, folder, 1, 8)
    weights = folder / 'random.pth'
    torch.save(MODELS.build(config.model).state_dict(), weights)
    return PoseNetwork(config, weights, 'cpu')


def _requests(folder: Path) -> Subject:
    path = folder / 'request.bin'
    network = small_network(folder)
    pixels = np.random.default_rng(0).integers(0, 255, (30, 24, 3), np.uint8)
    image = cv2.imencode('.png', pixels)[1].tobytes()
    server = open_server(create_app([network], kpt_thr=0), '127.0.0.1', 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    unexpected: list[Any] = []
    server.handle_error = lambda *_: unexpected.append(1)  # type: ignore[method-assign]

    def damage(rng: Random) -> bytes:
        kind = rng.random()
        if kind < 0.3:
            return damaged_bytes(rng, rng.choice(subject.valid))
        if kind < 0.45:
            return upload(damaged_bytes(rng, image), _BOX)
        if kind < 0.7:
            names = rng.choices(
                [*_BOX, 'image', 'extra', 'a"\r\n'], k=rng.choice((1, 2))
            )
            return upload(image, {**_BOX, **{name: _text(rng) for name in names}})
        headers = {name: _text(rng) for name in rng.choices(_HEADERS, k=2)}
        if kind < 0.9:
            return upload(image, _BOX, **headers)
        return request(rng.choice(_LINES), damaged_bytes(rng, image), **headers)

    def read() -> Any:
        answer = answer_to(path.read_bytes(), server.port)
        if unexpected:
            raise AssertionError(f'{len(unexpected)} tracebacks on the console')
        if answer.code >= 500:
            raise AssertionError(f'{answer.code} {answer.body!r}')
        if answer.code >= 400:
            raise UserError(f'{path.name}: {answer.error}')
        if not answer.code:  # as for an empty line
            raise UserError(f'{path.name} has no answer')
        return answer.body.startswith(b'{') and json.loads(answer.body)

    valid = [upload(image), upload(image, _BOX), request('GET / HTTP/1.1')]
    subject = Subject(path, valid, damage, read)
    return subject


TARGETS = {'web_requests': Target(_requests, 10)}
