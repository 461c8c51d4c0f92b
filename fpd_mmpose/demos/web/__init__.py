"""A page that shows student and teacher side by side."""

from .app import create_app
from .server import open_server, serve

__all__ = ['create_app', 'open_server', 'serve']
