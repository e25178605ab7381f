"""A Notion sandbox: the newcomer's Notion and the tests' Notion, kept in one SQLite file, served on 127.0.0.1.

    with serve(Path(".local/notion.db")) as sandbox:
        client = notion_client.Client(auth=sandbox.token, base_url=sandbox.base_url)

`sandbox.control` is what a test or a person does besides the API: clock, switches, faults, people's edits, sharing, the
log; `utils.local.notion.control.Control` has each action. `POST /control/<action>`, with the header `X-Control-Key` and
a JSON object of arguments, does the same from another process.
"""

from utils.local.notion.control import Control
from utils.local.notion.faults import Fault
from utils.local.notion.server import Sandbox, serve

__all__ = ["Control", "Fault", "Sandbox", "serve"]
