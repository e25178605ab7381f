"""Brings the outbox to the vault: repeated after any failure, doubled by none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from utils.autosync.store import Store
from utils.config import Settings

if TYPE_CHECKING:
    from utils.stores.base import Vault

BATCH = 500


@contextmanager
def delivering(settings: Settings, state: Path, *, deadline: float) -> Iterator[Callable[[], int]]:
    """Yields what delivers all that waits in the outbox, and answers how many rows.

    The vault is opened when a row must go out, and kept open until it fails: with an AnglesError, and what it did not
    take still waits.

    Args:
        settings: name the vault.
        state: the file of the outbox.
        deadline: seconds after which a call of the vault is given up.
    """
    with ExitStack() as opened:
        vault: Vault | None = None

        def deliver() -> int:
            nonlocal vault
            total = 0
            try:
                with Store(state) as store:
                    while rows := store.waiting(BATCH):
                        from utils.stores.base import Activity

                        vault = vault or _open(settings, deadline, opened)
                        vault.add([row.decision for row in rows if row.decision])
                        vault.record([Activity(**row.activity) for row in rows])
                        store.delivered(rows)
                        total += len(rows)
            except BaseException:
                vault = None
                opened.close()
                raise
            return total

        yield deliver


def _open(settings: Settings, deadline: float, opened: ExitStack) -> Vault:
    from utils import services

    filled = opened.enter_context(services.database(settings))
    return opened.enter_context(services.vault(filled, deadline=deadline))
