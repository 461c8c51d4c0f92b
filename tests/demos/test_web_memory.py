"""The memory that the web demo takes for untrusted uploads."""

import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from fpd_mmpose.demos.web.app import MAX_UPLOADS
from fpd_mmpose.demos.web.upload import MAX_PIXELS
from tests.helpers import ROOT

#: For a progressive CMYK JPEG, the most expensive image: libjpeg takes 2 for each of 4
#: coefficients, and Pillow takes 4. Later steps need fewer: 3 for the image, and 4 for
#: each of two heatmaps.
BYTES_PER_PIXEL = 12
#: Half as much again for the allocator. A second image would exceed it.
BOUND = 1.5 * BYTES_PER_PIXEL * MAX_PIXELS

pytestmark = [
    pytest.mark.process,
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.access('/proc/self/clear_refs', os.W_OK), reason='needs Linux'
    ),
]


class Server:
    """``demo/web.py`` in its own process."""

    def __init__(self, process: subprocess.Popen, url: str):
        self.url = url
        self._folder = Path('/proc', str(process.pid))

    def send(self, content: bytes) -> tuple[int, dict]:
        """Posts the form of the page; returns the status and the answer."""
        head = (
            b'--line\r\nContent-Disposition: form-data; name="image"; '
            b'filename="a.jpg"\r\n\r\n'
        )
        request = urllib.request.Request(
            f'{self.url}predict',
            head + content + b'\r\n--line--\r\n',
            {'Content-Type': 'multipart/form-data; boundary=line'},
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def memory(self) -> dict[str, int]:
        """Returns bytes in use: ``VmRSS`` now, and ``VmHWM`` since the last reset."""
        lines = (self._folder / 'status').read_text().splitlines()
        pairs = [line.split(':') for line in lines if line.startswith('Vm')]
        return {name: 1024 * int(value.split()[0]) for name, value in pairs}

    def reset(self) -> int:
        """Resets the peak; returns the bytes in use."""
        (self._folder / 'clear_refs').write_text('5')
        return self.memory()['VmRSS']


@pytest.fixture(scope='module')
def server(files) -> Iterator[Server]:
    arguments = [files['student'], files['student_weights'], '--device', 'cpu']
    process = subprocess.Popen(
        [
            *(sys.executable, ROOT / 'demo/web.py', *arguments),
            *('--port', '0', '--teacher'),
        ],
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        # Packages may print something before.
        line = next(line for line in process.stdout if line.startswith('http'))
        url = line.split()[0]
        found = Server(process, url)
        code, _ = found.send(jpeg((100, 80)))
        assert code == 200
        yield found
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def jpeg(size: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new('CMYK', size, (90, 80, 70, 60)).save(stream, 'JPEG', progressive=True)
    return stream.getvalue()


def radiance(side: int) -> bytes:
    """Makes a Radiance HDR, in which two bytes encode 127 pixels of a channel."""
    runs, rest = divmod(side, 127)
    channel = b'\xff\x80' * runs + (bytes([128 + rest, 128]) if rest else b'')
    line = b'\2\2' + side.to_bytes(2, 'big') + 4 * channel
    head = f'#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {side} +X {side}\n'
    return head.encode() + side * line


def test_other_formats_are_not_decoded(server):
    content = radiance(15_492)
    assert 15e6 < len(content) < 16e6  # 240 megapixels
    before = server.reset()
    code, answer = server.send(content)
    grown = server.memory()['VmHWM'] - before
    print(f'Radiance HDR of 240 megapixels: {grown / 1e6:.0f} MB')
    assert code == 400 and 'is not a JPEG or PNG image' in answer['error']
    # Not even the file itself, which waits on disk.
    assert grown < len(content)


def test_many_large_images_take_the_memory_of_one(server):
    content = jpeg((8000, MAX_PIXELS // 8000))
    before = server.reset()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(server.send, [content] * 16))
    grown = server.memory()['VmHWM'] - before
    print(f'16 uploads of {MAX_PIXELS:,} pixels at once: {grown / 1e6:.0f} MB')
    codes = [code for code, _ in answers]
    assert set(codes) == {200, 503}
    assert MAX_UPLOADS <= codes.count(200) < 16
    for code, answer in answers:
        if code == 503:
            assert answer == {
                'error': 'the server is busy with other images: try again in a minute'
            }
    assert grown < BOUND
