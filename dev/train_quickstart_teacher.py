#!/usr/bin/env python
"""Trains the teacher that comes with the quick start, on people drawn for it alone."""

import argparse
from pathlib import Path

CONFIG = 'configs/quickstart/hg2_64_drawn.py'
#: Of other people than the quick start's.
SEED = 20190


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', type=Path, help='folder of the people and the run')
    parser.add_argument(
        '--people', type=int, default=8000, help='to train on (8000, 12 epochs)'
    )
    parser.add_argument('--threads', type=int, default=1, help='CPU threads (1)')
    args = parser.parse_args(argv)

    # Imported after parsing, so that --help does not wait for torch.
    import torch

    from fpd_mmpose.cli import main as fpd
    from fpd_mmpose.synthetic import write_dataset

    torch.set_num_threads(args.threads)
    write_dataset(args.out / 'data', args.people, 500, seed=SEED)
    loaders = [f'{split}_dataloader' for split in ('train', 'val', 'test')]
    roots = [f'{each}.dataset.data_root={args.out / "data"}' for each in loaders]
    run = args.out / 'run'
    fpd(['train', CONFIG, '--work-dir', str(run), '--resume', '--cfg-options', *roots])
    print(
        publish(Path((run / 'last_checkpoint').read_text(encoding='utf-8')), args.out)
    )


def publish(checkpoint: Path, folder: Path) -> Path:
    """Writes the weights alone; the name ends in their SHA-256, as in OpenMMLab."""
    import torch

    from fpd_mmpose.files import replace_when_done, sha256_of
    from fpd_mmpose.weights import read_state_dict

    unnamed = folder / 'weights.pth'
    with replace_when_done(unnamed) as partial:
        torch.save(dict(state_dict=read_state_dict(str(checkpoint))), partial)
    name = f'{Path(CONFIG).stem}-{sha256_of(unnamed)[:8]}.pth'
    return unnamed.rename(folder / name)


if __name__ == '__main__':
    main()
