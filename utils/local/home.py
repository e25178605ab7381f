"""The folder `.local/`: mode 0700, an instance id, and the password of the embedded server."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from utils.errors import AnglesError, BusyError, ConfigError
from utils.files import hold_lock, write_atomic

_FILE = "instance.json"
_INSTANCE = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Home:
    """The folder, the random id of this instance, and its password."""

    folder: Path
    instance: str
    password: str = field(repr=False)


def open_home(folder: Path) -> Home:
    """Opens the folder; makes it, with a new instance in it, where there is none.

    Raises:
        ConfigError: it cannot be made or read.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with hold_lock(folder / "home.lock", wait=10):
            path = folder / _FILE
            if not path.exists():
                made = {"instance": secrets.token_hex(8), "password": secrets.token_urlsafe(24)}
                write_atomic(path, json.dumps(made), mode=0o600)
            return _read(folder, path)
    except (BusyError, ConfigError):
        raise
    except OSError as error:
        raise ConfigError(str(folder), f"cannot be used ({error.strerror})", "Check its owner and mode") from error
    except AnglesError as error:
        raise ConfigError(
            str(folder), f"cannot be used: {error.where} {error.what}", "Check its owner and mode"
        ) from error


def _read(folder: Path, path: Path) -> Home:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        home = Home(folder, str(data["instance"]), str(data["password"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(str(path), "is damaged", f"To start local mode afresh, delete {folder}") from error
    if not _INSTANCE.fullmatch(home.instance):
        raise ConfigError(str(path), "is damaged", f"To start local mode afresh, delete {folder}")
    return home
