"""Finds files in the folder of weights that would otherwise be downloaded."""

import logging
import re
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from mmengine.logging import print_log
from mmengine.runner.checkpoint import get_torchvision_models

from fpd_mmpose.files import sha256_of

#: Where the configs look for weight files, relative to the working directory.
FOLDER = Path('checkpoints')
#: torchvision's ImageNet weights, and the files that the reference starts from, which
#: torchvision has since saved again in another format.
EARLIER = {
    'resnet50-0676ba61.pth': 'resnet50-19c8e357.pth',
    'resnet101-63fe2227.pth': 'resnet101-5d3b4d8f.pth',
    'resnet152-394f9c45.pth': 'resnet152-b121ed2d.pth',
}
# As torchvision, and as OpenMMLab, which adds the date.
_HASH = re.compile(r'-([0-9a-f]{8})(?:_\d{8})?\.pth')


def local_copy(url: str) -> Path | None:
    """Returns the file in ``FOLDER`` that a URL names, or its earlier release.

    ``url`` can also be a name such as ``torchvision://resnet50``. A file without the
    hash in its name is left out with a warning.
    """
    scheme, _, name = url.partition('://')
    if scheme == 'torchvision':
        url = get_torchvision_models().get(name, url)
    name = PurePosixPath(urlsplit(url).path).name
    for candidate in (name, EARLIER.get(name, '')):
        path = FOLDER / candidate
        named = has_named_hash(path) if path.is_file() else None
        if named:
            return path
        if named is False:
            print_log(
                f'"{path}" is not used: its SHA-256 is not the one in its name, so it '
                'may be truncated',
                logger='current',
                level=logging.WARNING,
            )
    return None


def has_named_hash(path: Path) -> bool | None:
    """Compares a file with the hash in its name; None if there is none."""
    match = _HASH.search(path.name)
    return sha256_of(path).startswith(match[1]) if match else None
