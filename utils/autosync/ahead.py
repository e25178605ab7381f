"""Looks at known folders ahead of the walk, in forked workers: with many files, that is what a scan waits for."""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Mapping
from itertools import accumulate

from utils.autosync import hashing
from utils.autosync.drafts import stats_of
from utils.autosync.index import STAT, Folder
from utils.autosync.rules import Ignoring

_WORKERS = 2


def look_ahead(root: str, known: Mapping[str, Folder], ignoring: Ignoring) -> dict[str, bytes]:
    """The stats of the files in those folders that have the names they had; of none, where there are few files."""
    paths, folders = list(known), list(known.values())
    ends = list(accumulate((len(folder.stats) for folder in folders), initial=len(folders)))
    if ends[-1] < hashing.MANY * STAT.size or threading.active_count() > 1:
        return {}
    with mmap.mmap(-1, ends[-1]) as seen:  # a sign for each folder that its stats are there, then all stats

        def look(number: int) -> None:
            stats = _stats(root, paths[number], folders[number], ignoring)
            if stats is not None:
                seen[ends[number] : ends[number + 1]] = stats
                seen[number] = 1

        hashing.run_workers(min(_WORKERS, os.cpu_count() or 1), len(paths), look)
        places = zip(paths, ends, ends[1:], seen[: len(paths)], strict=False)
        return {path: seen[start:end] for path, start, end, is_there in places if is_there}


def _stats(root: str, path: str, folder: Folder, ignoring: Ignoring) -> bytes | None:
    try:
        descriptor = hashing.open_folder(root, path)
    except OSError:
        return None
    try:
        with os.scandir(descriptor) as listing:
            return stats_of(list(listing), folder, ignoring)
    except OSError:
        return None
    finally:
        os.close(descriptor)
