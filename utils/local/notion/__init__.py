"""A Notion sandbox: the newcomer's Notion and the tests' Notion, kept in one SQLite file, served on 127.0.0.1.

    with serve(Path(".local/notion.db")) as sandbox:
        client = notion_client.Client(auth=sandbox.token, base_url=sandbox.base_url)

`POST /control/<action>` with the header `X-Control-Key` and a JSON object of arguments does what `sandbox.control`
does in the same process (`utils.local.notion.control.Control` has each with its arguments):

- clock: `set_clock(offset | fixed)`, `advance(seconds)`, `now()`
- switches: `switch(trash_moves_stamp, restore_moves_stamp, option_rename_moves_stamp, fold_options, date_header)`,
  `set_lag(seconds)`, `set_cap(rows)`, `set_rate(rate)`, `set_cursor_life(seconds)`, `expire_cursors()`,
  `settings()`
- faults: `arm(Fault(status, method, path, contains, count, skip, after, delay, non_json, cut, retry_after, call))`
  (over HTTP these arguments, and `do`, a list of actions, for `call`),
  `omit(page_ids, count)`, `repeat(page_ids, count)`, `disarm()`
- log: `requests()`, `request_count()`, `reset_requests()`, `bugs()`
- a person: `person_create(properties, database_id)`, `person_edit(page_id, properties)`, `person_trash(page_id)`,
  `person_restore(page_id)`, `person_purge(page_id)`, `person_duplicate(page_id)`, `person_move(page_id, database_id)`
- the schema: `rename_property(name, new_name)`, `retype_property(name, kind)`, `remove_property(name)`,
  `add_property(name, kind)`, `rename_option(name, option, new_name)`
- sharing: `unshare(object_id)`, `share(object_id)`
- looking: `page(page_id)`, `pages(database_id, in_trash)`, `values(page_id)`, `schema(database_id)`
"""

from utils.local.notion.control import Control
from utils.local.notion.faults import Fault
from utils.local.notion.server import Sandbox, serve

__all__ = ["Control", "Fault", "Sandbox", "serve"]
