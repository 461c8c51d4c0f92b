"""A web page that shows student and teacher side by side."""

from fpd_mmpose.demos.web.app import create_app as create_app
from fpd_mmpose.demos.web.server import open_server as open_server
from fpd_mmpose.demos.web.server import serve as serve
