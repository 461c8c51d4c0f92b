"""A web page that shows student and teacher side by side."""

from fpd_mmpose.demos.web.app import create_app
from fpd_mmpose.demos.web.server import open_server, serve

__all__ = ['create_app', 'open_server', 'serve']
