"""Collects the results of a GPU run in a few small files."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import torch

from fpd_mmpose.files import replace_when_done

#: Weights, the most valuable first.
ORDER = ('fpd', 'plain', 'teacher')
#: Suffixes of files that stay on the machine.
LEFT_OUT = ('.pth', '.sqlite', '.py')


def archive(reports: Path, path: Path) -> None:
    """Packs reports, logs, and charts."""
    with replace_when_done(path) as partial, tarfile.open(partial, 'w:gz') as packed:
        for file in sorted(reports.rglob('*')):
            if file.is_file() and file.suffix not in LEFT_OUT:
                packed.add(file, file.relative_to(reports))


def save_weights(
    trained: Path, out: Path, files: int, total: int, piece: int
) -> list[str]:
    """Writes weights in half precision as the limits allow, and returns what it did.

    ``files`` and ``total`` bytes limit the folder, ``piece`` bytes each file. Vectors
    keep their precision. Large networks are split by tensor; :func:`join` joins them.
    """
    lines = []
    for name in ORDER:
        source = trained / f'{name}.pth'
        if not source.exists():
            continue
        state = torch.load(source, map_location='cpu', weights_only=True)['state_dict']
        pieces = list(_pieces({k: _half(v) for k, v in state.items()}, piece))
        present = [path.stat().st_size for path in out.iterdir()]
        paths = []
        for number, content in enumerate(pieces, 1):
            suffix = f'_{number}of{len(pieces)}' if len(pieces) > 1 else ''
            paths.append(out / f'{name}{suffix}.pth')
            torch.save(dict(state_dict=content), paths[-1])
        size = sum(path.stat().st_size for path in paths)
        if len(present) + len(paths) > files or sum(present) + size > total:
            for path in paths:
                path.unlink()
            lines.append(f'{name}: {size:,} bytes, left out because there is no room')
        else:
            lines.append(f'{name}: {size:,} bytes in {len(paths)} files')
    return lines


def join(paths: list[Path], target: Path) -> None:
    """Joins the pieces of a network into one file of float32 weights."""
    state = {}
    for path in paths:
        state.update(torch.load(path, weights_only=True)['state_dict'])
    whole = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    with replace_when_done(target) as partial:
        torch.save(dict(state_dict=whole), partial)


def conclusions(reports: Path) -> list[str]:
    """Collects the conclusions of all parts."""
    lines = []
    for path in sorted(reports.glob('*/conclusions.json')):
        lines += json.loads(path.read_text(encoding='utf-8'))
    return lines


def _half(value: torch.Tensor) -> torch.Tensor:
    if not value.is_floating_point() or value.ndim < 2:
        return value
    half = value.half()
    return half if torch.isfinite(half).all() else value


def _pieces(state: dict[str, torch.Tensor], limit: int) -> Iterator[dict]:
    piece, size = {}, 0
    for name, value in state.items():
        # With the tensor's record in the file and its alignment.
        needed = value.numel() * value.element_size() + len(name) + 512
        if piece and size + needed > 0.97 * limit:
            yield piece
            piece, size = {}, 0
        piece[name] = value
        size += needed
    if piece:
        yield piece


if __name__ == '__main__':
    import sys

    if len(sys.argv) < 3:
        sys.exit('usage: python dev/gpu/results.py WHOLE.pth PIECE.pth ...')
    join([Path(name) for name in sys.argv[2:]], Path(sys.argv[1]))
