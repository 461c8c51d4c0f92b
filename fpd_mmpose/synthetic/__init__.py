"""Drawn people in MPII's layout, for the quick start and for tests."""

from fpd_mmpose.synthetic.mpii_writer import write_dataset as write_dataset
from fpd_mmpose.synthetic.scene import draw_person as draw_person
