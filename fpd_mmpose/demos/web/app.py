"""The web application."""

import secrets
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
from flask import Flask, Response, abort, g, jsonify, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import ClientDisconnected, HTTPException

from fpd_mmpose.demos.box_sources import BoxSource
from fpd_mmpose.demos.painter import Painter
from fpd_mmpose.demos.pose_network import PoseNetwork, Prediction
from fpd_mmpose.demos.web.upload import read_box, read_upload
from fpd_mmpose.errors import UserError
from fpd_mmpose.inputs import data_url

#: The names by which programs on this machine reach the server.
LOOPBACK = ('127.0.0.1', '::1', 'localhost')
#: Uploads that the server holds at once: one is processed, the others wait.
MAX_UPLOADS = 8
#: Bounds of the longer side of what is drawn: small images are enlarged so that lines
#: are thin.
LEAST_SIDE, MOST_SIDE = 480, 1280


def create_app(
    networks: Sequence[PoseNetwork],
    people: BoxSource | None = None,
    kpt_thr: float = 0.3,
    max_megabytes: float = 16,
) -> Flask:
    """Creates the application, which decodes and processes one image at a time.

    ``GET /`` is the page. ``POST /predict`` takes its form and answers in JSON, with a
    one-line ``error`` if the form cannot be used; more than :data:`MAX_UPLOADS` at once
    are answered with 503. The page offers the detector of ``people`` if it has one.
    Keypoints that score below ``kpt_thr`` are not drawn.

    Requests must be for a host in ``app.config['HOSTS']``, by default those of
    :data:`LOOPBACK`, and not come from the pages of another.
    """
    app = Flask(__name__, template_folder='.', static_folder=None)
    app.config['MAX_CONTENT_LENGTH'] = int(max_megabytes * 1024 * 1024)
    app.config['HOSTS'] = {*LOOPBACK}
    people = people or BoxSource()
    painters = [Painter(network, kpt_thr, draw_boxes=True) for network in networks]
    places = threading.BoundedSemaphore(MAX_UPLOADS)
    worker = ThreadPoolExecutor(1, 'images')
    # The first pass is slow, and reveals a detector that cannot be loaded.
    blank = np.zeros((64, 64, 3), np.uint8)
    people(blank)
    for network in networks:
        network(blank)

    @app.before_request
    def check_source() -> None:
        # Any web page can have a browser send requests here, even under a name of its
        # own if that has the address of this machine (DNS rebinding).
        host, origin = request.headers.get('Host', ''), request.headers.get('Origin')
        name = _name_in(host)
        if name not in app.config['HOSTS']:
            abort(403, f'"{name}" is no name of this server: add it by --allow-host')
        if origin is not None and origin.partition('://')[2] != host:
            abort(403, f'"{origin}" is another site: open the page of this server')

    @app.get('/')
    def page() -> str:
        g.nonce = secrets.token_urlsafe()
        return render_template(
            'page.html',
            networks=networks,
            has_detector=people.detector is not None,
            max_megabytes=max_megabytes,
            nonce=g.nonce,
        )

    @app.post('/predict')
    def predict() -> Response:
        # Before anything of the body is read.
        if not places.acquire(blocking=False):
            abort(503, 'the server is busy with other images: try again in a minute')
        try:
            file = request.files.get('image')
            if file is None or not file.filename:
                raise UserError('no image was sent: choose one first')
            return jsonify(worker.submit(handle, file, request.form).result())
        finally:
            places.release()

    def handle(file: FileStorage, form: Mapping[str, str]) -> dict[str, Any]:
        choice = form.get('people', 'whole')
        if choice not in ('whole', 'box', 'detector'):
            raise UserError('people must be whole, box, or detector')
        if choice == 'detector' and people.detector is None:
            raise UserError('this server has no detector: choose a box')
        image = read_upload(file.stream, file.filename)
        height, width = image.shape[:2]
        boxes = read_box(form, image.shape) if choice == 'box' else None
        if choice == 'detector':
            boxes = people(image)
        return dict(
            name=file.filename,
            width=width,
            height=height,
            people=1 if boxes is None else len(boxes),
            # One after the other, because a heatmap is larger than the image.
            networks=[
                _answer(network, painter, image, network(image, boxes, heatmap=True))
                for network, painter in zip(networks, painters, strict=True)
            ],
        )

    @app.errorhandler(UserError)
    def refuse(error: UserError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @app.errorhandler(HTTPException)
    def refuse_request(error: HTTPException) -> tuple[Response, int]:
        text = f'{error.code} {error.name}'
        if error.code == 413:
            text = (
                f'the form is larger than {max_megabytes:g} MB, or has more fields '
                'than the page: send a smaller image'
            )
        elif isinstance(error, ClientDisconnected):
            text = 'the image did not arrive whole, or not in time: send it again'
        elif error.code in (403, 503):
            text = str(UserError(error.description or ''))
        return jsonify(error=text), error.code

    @app.errorhandler(Exception)
    def fail(error: Exception) -> tuple[Response, int]:
        app.logger.exception('an image could not be processed')
        return jsonify(error='the server failed; its log has the details'), 500

    @app.after_request
    def add_headers(response: Response) -> Response:
        nonce = f"'nonce-{g.nonce}'" if 'nonce' in g else "'none'"
        response.headers.update(
            {
                'Content-Security-Policy': "default-src 'none'; connect-src 'self'; "
                f'img-src data: blob:; style-src {nonce}; script-src {nonce}; '
                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                'Cross-Origin-Opener-Policy': 'same-origin',
                'Cross-Origin-Resource-Policy': 'same-origin',
                'X-Content-Type-Options': 'nosniff',
                'X-Frame-Options': 'DENY',
                'Referrer-Policy': 'no-referrer',
                'Cache-Control': 'no-store',
            }
        )
        return response

    return app


def _name_in(host: str) -> str:
    """Returns the name or address in a ``Host``, which may have a port."""
    try:
        return urlsplit(f'//{host}').hostname or host
    except ValueError:
        return host


def _answer(
    network: PoseNetwork, painter: Painter, image: np.ndarray, prediction: Prediction
) -> dict[str, Any]:
    canvas, scaled = _scaled(image, prediction)
    people = prediction.people
    return dict(
        label=network.label,
        name=network.name,
        milliseconds=round(prediction.milliseconds, 1),
        skeletons=data_url(painter.skeletons(canvas, scaled)),
        heatmap=data_url(painter.heatmap(canvas, scaled)),
        drawn=int((people.keypoint_scores >= painter.kpt_thr).sum()),
        joints=network.joints,
        keypoints=np.asarray(people.keypoints, float).round(1).tolist(),
        scores=np.asarray(people.keypoint_scores, float).round(3).tolist(),
    )


def _scaled(image: np.ndarray, prediction: Prediction) -> tuple[np.ndarray, Prediction]:
    side = max(image.shape[:2])
    factor = max(1, LEAST_SIDE / side) * min(1, MOST_SIDE / side)
    if factor == 1:
        return image, prediction
    interpolation = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    height, width = (max(1, round(length * factor)) for length in image.shape[:2])
    people = prediction.people.clone()
    people.keypoints = people.keypoints * factor
    people.bboxes = people.bboxes * factor
    heatmap = cv2.resize(prediction.heatmap, (width, height))
    canvas = cv2.resize(image, (width, height), interpolation=interpolation)
    return canvas, replace(prediction, people=people, heatmap=heatmap)
