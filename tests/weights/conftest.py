"""A web server, and networks whose weights have official names."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mmpose.registry import MODELS
from torch import nn
from torchvision.models import resnet50

from fpd_mmpose.config import load_config


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        self.server.requests.append(self.path)


@pytest.fixture
def server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[http.server.HTTPServer]:
    """Serves the folder `served`; downloads go to `hub`."""
    (tmp_path / 'served').mkdir()
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'hub'))
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    handler = functools.partial(QuietHandler, directory=str(tmp_path / 'served'))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        server.requests = []
        poll = dict(poll_interval=0.01)
        threading.Thread(target=server.serve_forever, kwargs=poll, daemon=True).start()
        server.address = f'http://127.0.0.1:{server.server_port}'
        yield server
        server.shutdown()


class SimpleBaseline(nn.Module):
    """The published network: torchvision's ResNet and three transposed convolutions."""

    def __init__(self, joints: int):
        super().__init__()
        for name, layer in resnet50().named_children():
            if name not in ('avgpool', 'fc'):
                setattr(self, name, layer)
        layers, channels = [], 2048
        for _ in range(3):
            layers += [
                nn.ConvTranspose2d(channels, 256, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(256),
                nn.ReLU(),
            ]
            channels = 256
        self.deconv_layers = nn.Sequential(*layers)
        self.final_layer = nn.Conv2d(256, joints, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.children():
            x = layer(x)
        return x


def with_random_statistics(model: nn.Module) -> nn.Module:
    """Sets batch norms to values that show in the output if one is lost."""
    generator = torch.Generator().manual_seed(1)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1, generator=generator)
            layer.running_var.uniform_(0.8, 1.2, generator=generator)
    return model.eval()


@pytest.fixture(scope='session')
def simple_baseline() -> SimpleBaseline:
    torch.manual_seed(0)
    return with_random_statistics(SimpleBaseline(16))


@pytest.fixture(scope='session')
def hrnet() -> nn.Module:
    """HRNet-W32 for COCO."""
    torch.manual_seed(0)
    config = load_config('configs/hrnet/hrnet_w32_coco_256x192.py')
    return with_random_statistics(MODELS.build(config.model))


@pytest.fixture(scope='session')
def official_hrnet(hrnet: nn.Module) -> dict[str, torch.Tensor]:
    """Its weights under their official names: those of MMPose without the part."""
    return {k.partition('.')[2]: v for k, v in hrnet.state_dict().items()}
