"""What tests and the page do to the workspace from outside the API: people's edits, faults, clock, switches.

`Control` is used directly in the process that serves; `POST /control/<action>` reaches the same methods with a JSON
object of their arguments and the header `X-Control-Key`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from utils.local.notion import dates, workspace
from utils.local.notion.checks import Json, as_uuid
from utils.local.notion.faults import Fault, Faults, Lie, Logged
from utils.local.notion.refusals import invalid
from utils.local.notion.schema import Property
from utils.local.notion.store import Session, Settings, Store

_LAST = dates.millis(datetime(2200, 1, 1, tzinfo=UTC))


class Control:
    """All actions. Those named `person_…`, and the changes of schema and sharing, are done by the person user."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self.store = store
        self.faults = faults

    # clock

    def now(self) -> datetime:
        """The sandbox's time, aware and UTC."""
        with self.store.reading() as session:
            return dates.moment(session.now)

    def set_clock(self, *, offset: float | None = None, fixed: datetime | str | None = None) -> None:
        """Sets the clock ahead of the real one by seconds, or stops it at an aware time; neither: the real time."""
        if fixed is None:
            self._set_clock(None, int((offset or 0) * 1000))
        else:
            at = datetime.fromisoformat(fixed) if isinstance(fixed, str) else fixed
            self._set_clock(dates.millis(at), 0)

    def advance(self, seconds: float) -> None:
        """Moves the clock on, whether it stands or goes."""
        settings, step = self.settings(), int(seconds * 1000)
        if settings.clock_fixed is None:
            self._set_clock(None, settings.clock_offset + step)
        else:
            self._set_clock(settings.clock_fixed + step, 0)

    def _set_clock(self, fixed: int | None, offset: int) -> None:
        if not 0 <= (fixed or 0) < _LAST or abs(offset) > _LAST // 5:
            raise ValueError("the sandbox's clock goes from 1970 to 2199")
        self.store.set(clock_fixed=fixed, clock_offset=offset)

    # switches

    def settings(self) -> Settings:
        """All settings as they are."""
        with self.store.reading() as session:
            return session.settings

    def switch(
        self,
        *,
        trash_moves_stamp: bool | None = None,
        restore_moves_stamp: bool | None = None,
        option_rename_moves_stamp: bool | None = None,
        fold_options: bool | None = None,
        date_header: bool | None = None,
    ) -> None:
        """Decides what is not known of the real one; None leaves a switch as it is."""
        given = {
            "trash_moves_stamp": trash_moves_stamp,
            "restore_moves_stamp": restore_moves_stamp,
            "option_rename_moves_stamp": option_rename_moves_stamp,
            "fold_options": fold_options,
            "date_header": date_header,
        }
        self.store.set(**{name: value for name, value in given.items() if value is not None})

    def set_lag(self, seconds: float) -> None:
        """For how long queries do not see a write (by the sandbox's clock)."""
        self.store.set(lag=int(seconds * 1000))

    def set_cap(self, rows: int) -> None:
        """How many rows one query yields; 10,000 in the real one."""
        self.store.set(cap=int(rows))

    def set_rate(self, rate: float | None) -> None:
        """Requests a second that this server grants; None grants all."""
        self.faults.limit(rate)

    def set_cursor_life(self, seconds: float) -> None:
        """For how long a cursor is good (by the sandbox's clock); an hour at first."""
        self.store.set(cursor_life=int(seconds * 1000))

    def expire_cursors(self) -> None:
        """Makes every cursor given out so far invalid."""
        self.store.set(cursor_generation=self.settings().cursor_generation + 1)

    # faults

    def arm(self, fault: Fault) -> Fault:
        """Arms a fault for the next requests that match.

        Over HTTP the arguments are those of `Fault`; `do`, a list of `{"action": …, **arguments}`, replaces `call`.
        """
        self.faults.arm(fault)
        return fault

    def omit(self, page_ids: Sequence[str], *, count: int = 0) -> None:
        """Leaves pages out of query results, for so many answers that would hold one (0: until disarmed)."""
        self.faults.lie(Lie("omit", frozenset(page_ids), count))

    def repeat(self, page_ids: Sequence[str], *, count: int = 0) -> None:
        """Lists pages twice in query results, for so many answers that hold one (0: until disarmed)."""
        self.faults.lie(Lie("repeat", frozenset(page_ids), count))

    def disarm(self) -> None:
        """Forgets all faults, omissions and repetitions."""
        self.faults.disarm()

    # log

    def requests(self) -> list[Logged]:
        """The API requests so far, oldest first (the last 10,000)."""
        return self.faults.log()

    def request_count(self) -> int:
        """How many API requests came since the start or `reset_requests`."""
        return self.faults.total

    def bugs(self) -> list[str]:
        """Errors of the sandbox itself (answered with 500): none is what is wanted."""
        return [repr(error) for error in self.faults.bugs]

    def reset_requests(self) -> None:
        """Empties the log."""
        self.faults.forget()

    # people

    def person_create(self, properties: Json | None = None, *, database_id: str | None = None) -> str:
        """A person adds a page; answers its id.

        Values are plain (text, bool, number, None, option names) or as the API has them.
        """
        with self.store.writing() as session:
            source = self._source(session, database_id)
            written = workspace.payloads(source, properties or {})
            return str(workspace.make_page(session, source, written, session.identity.person_id)["id"])

    def person_edit(self, page_id: str, properties: Json) -> None:
        """A person edits values of a page; a property left out stays, None or an empty text clears."""
        with self.store.writing() as session:
            row = _page(session, page_id)
            source = workspace.source_of(session, row)
            written = workspace.payloads(source, properties) if source else properties
            workspace.edit_page(session, row, written, session.identity.person_id)

    def person_trash(self, page_id: str) -> None:
        """A person moves a page to the bin."""
        with self.store.writing() as session:
            workspace.bin_page(session, _page(session, page_id), True, session.identity.person_id)

    def person_restore(self, page_id: str) -> None:
        """A person takes a page out of the bin."""
        with self.store.writing() as session:
            workspace.bin_page(session, _page(session, page_id), False, session.identity.person_id)

    def person_purge(self, page_id: str) -> None:
        """A person deletes a page for good: it answers 404 from now on."""
        with self.store.writing() as session:
            workspace.purge_page(session, _page(session, page_id))

    def person_duplicate(self, page_id: str) -> str:
        """A person duplicates a page; answers the copy's id. All values are copied."""
        with self.store.writing() as session:
            row = workspace.duplicate_page(session, _page(session, page_id), session.identity.person_id)
            return str(row["id"])

    def person_move(self, page_id: str, *, database_id: str | None = None) -> None:
        """A person moves a page into another database, or under the root page (None)."""
        with self.store.writing() as session:
            person, target, parent = session.identity.person_id, None, None
            if database_id is None:
                parent = {"type": "page_id", "page_id": session.identity.root_id}
            else:
                target = self._source(session, database_id)
            workspace.move_page(session, _page(session, page_id), target, parent, person)

    # the schema, changed by a person

    def rename_property(self, name: str, new_name: str, *, database_id: str | None = None) -> None:
        """Renames a property; its id stays."""
        self._change(database_id, {name: {"name": new_name}})

    def retype_property(self, name: str, kind: str, *, database_id: str | None = None) -> None:
        """Gives a property another type; values that survive as text are converted."""
        self._change(database_id, {name: {"type": kind, kind: {}}})

    def remove_property(self, name: str, *, database_id: str | None = None) -> None:
        """Removes a property and its values."""
        self._change(database_id, {name: None})

    def add_property(self, name: str, kind: str, *, database_id: str | None = None) -> None:
        """Adds a property."""
        self._change(database_id, {name: {"type": kind, kind: {}}})

    def rename_option(self, name: str, option: str, new_name: str, *, database_id: str | None = None) -> None:
        """Renames an option of a select, multi_select or status property."""
        with self.store.writing() as session:
            source = self._source(session, database_id)
            found = self._property(source, name)
            workspace.rename_option(session, source, found, option, new_name, session.identity.person_id)

    # sharing

    def unshare(self, object_id: str) -> None:
        """Takes a database or page from the integration: it answers 404."""
        self._share(object_id, False)

    def share(self, object_id: str) -> None:
        """Gives it back."""
        self._share(object_id, True)

    # looking, past sharing, lag and rate

    def page(self, page_id: str) -> Json:
        """A page as the API shows it in version 2026-03-11.

        Raises:
            RefusalError: 404, it is not there.
        """
        with self.store.reading() as session:
            return workspace.show_page(session, _page(session, page_id))

    def pages(self, *, database_id: str | None = None, in_trash: bool = False) -> list[Json]:
        """All pages of a database, oldest first."""
        with self.store.reading() as session:
            source = self._source(session, database_id)
            rows = session.db.execute(
                "SELECT * FROM pages WHERE source=? AND in_trash=? ORDER BY seq", (source.no, int(in_trash))
            )
            return [workspace.show_page(session, row, source) for row in rows]

    def values(self, page_id: str) -> Json:
        """A page's values as plain texts by property name, as a person reads them."""
        from utils.local.notion.values import plain

        with self.store.reading() as session:
            row = _page(session, page_id)
            stored = json.loads(row["properties"])
            held = workspace.schema_of(workspace.source_of(session, row)).properties
            return {one.name: plain(one, stored.get(one.id)) for one in held}

    def schema(self, *, database_id: str | None = None) -> Json:
        """A database's properties as the API shows them."""
        with self.store.reading() as session:
            return self._source(session, database_id).schema.show()

    def _source(self, session: Session, database_id: str | None) -> workspace.Source:
        wanted = as_uuid(database_id or session.identity.database_id, "body.database_id")
        return workspace.first_source(session, wanted)

    @staticmethod
    def _property(source: workspace.Source, name: str) -> Property:
        found = source.schema.find(name)
        if found is None:
            raise invalid(f"{name} is not a property that exists.")
        return found

    def _change(self, database_id: str | None, changes: Json) -> None:
        with self.store.writing() as session:
            source = self._source(session, database_id)
            workspace.edit_source(session, source, changes, session.identity.person_id)

    def _share(self, object_id: str, shared: bool) -> None:
        found = as_uuid(object_id, "body.object_id")
        with self.store.writing() as session:
            changed = session.db.execute("UPDATE databases SET shared=? WHERE id=?", (int(shared), found)).rowcount
            changed += session.db.execute("UPDATE pages SET shared=? WHERE id=?", (int(shared), found)).rowcount
            if not changed:
                raise workspace.missing(session, "page", found)


ACTIONS = tuple(name for name in vars(Control) if not name.startswith("_"))


def run_action(control: Control, name: str, arguments: Json) -> Any:
    """Runs an action by its name; answers something that JSON can hold.

    Raises:
        RefusalError: 400 an unknown action or wrong arguments, 404 no such page.
    """
    if name not in ACTIONS:
        raise invalid(f"No action {name!r}. There are: {', '.join(ACTIONS)}.")
    try:
        result = control.arm(_fault(control, arguments)) if name == "arm" else getattr(control, name)(**arguments)
    except (TypeError, ValueError) as error:
        raise invalid(str(error)) from error
    return _plain(result)


def _fault(control: Control, arguments: Json) -> Fault:
    steps = arguments.pop("do", [])
    fault = Fault(**arguments)
    if steps:
        fault.call = lambda: [_step(control, dict(step)) for step in steps]
    return fault


def _step(control: Control, step: Json) -> Any:
    return run_action(control, step.pop("action", ""), step)


def _plain(result: Any) -> Any:
    if isinstance(result, list) and result and isinstance(result[0], Logged):
        return [{"method": one.method, "path": one.path, "status": one.status, "body": one.body} for one in result]
    if isinstance(result, Settings):
        return asdict(result)
    if isinstance(result, Fault):
        return None
    return result.isoformat() if isinstance(result, datetime) else result


def _page(session: Session, page_id: str) -> workspace.Row:
    return workspace.page(session, as_uuid(page_id, "body.page_id"), anyone=True)
