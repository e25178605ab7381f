"""Brings the outbox to the vault: repeated after any failure, doubled by none."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from utils.autosync.store import Store, Waiting
from utils.config import Settings

if TYPE_CHECKING:
    from utils.stores.base import Vault

BATCH = 500


class Delivery:
    """Delivers for the time of a `with` block. The vault is opened when a row must go out, and kept open.

    Args:
        settings: name the vault.
        state: the file of the outbox.
        deadline: seconds after which a call of the vault is given up.
    """

    def __init__(self, settings: Settings, state: Path, *, deadline: float) -> None:
        self._settings, self._state, self._deadline = settings, state, deadline
        self._vault: Vault | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def __call__(self) -> int:
        """Delivers what waits in the outbox; answers how many rows.

        Raises:
            AnglesError: the vault is not configured or failed; what it did not take still waits.
        """
        total = 0
        with Store(self._state) as store:
            try:
                while rows := store.waiting(BATCH):
                    self._deliver(rows)
                    store.delivered(rows)
                    total += len(rows)
            except BaseException:
                self._close()
                raise
        return total

    def _deliver(self, rows: list[Waiting]) -> None:
        from utils import services
        from utils.stores.base import Activity

        if self._vault is None:
            filled = self._open.enter_context(services.database(self._settings))
            self._vault = self._open.enter_context(services.vault(filled, deadline=self._deadline))
        self._vault.add([row.decision for row in rows if row.decision])
        self._vault.record([Activity(**row.activity) for row in rows if row.activity])

    def _close(self) -> None:
        self._vault = None
        self._open.close()
