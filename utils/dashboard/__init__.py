"""The page on localhost:5000: how everything is, from what is stored; nothing is probed inside a request."""

from utils.dashboard.app import create_app
from utils.dashboard.serving import serve, start

__all__ = ["create_app", "serve", "start"]
