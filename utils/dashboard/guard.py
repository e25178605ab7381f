"""Who may ask, and who may act: the Host allow-list, the headers of every answer, the token, the form token."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from utils.sections import DashboardSettings

LOOPBACK = ("localhost", "127.0.0.1", "::1")
COOKIE = "angles_page"
_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared with
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = [
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]

PONG = b"pong\n"
_TEXT = ("Content-Type", "text/plain; charset=utf-8")

Asked = dict[str, Any]
Application = Callable[[Asked, Callable[..., Any]], Iterable[bytes]]


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own, and reached from it alone."""
    return host in LOOPBACK or (host.startswith("127.") and host.replace(".", "").isdigit())


def name_of(host: str) -> str:
    """The name in a Host header, without its port and brackets, in small letters; '' where it is none."""
    name, _, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "")
    if port and not port.isdigit():
        return ""
    if name.startswith("["):
        return name[1:-1].lower() if name.endswith("]") else ""
    return "" if ":" in name else name.lower()


@dataclass(frozen=True)
class Guard:
    """The rules of one server.

    Args:
        settings: where it is served and what opens it.
        form: what the forms of this process carry where there is no token.
    """

    settings: DashboardSettings
    form: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def names(self) -> frozenset[str]:
        """The names by which it may be asked: against pages that have their own name resolve to this machine."""
        own = () if self.settings.host in _EVERYWHERE else (self.settings.host.lower(),)
        return frozenset((*LOOPBACK, *own, *(name_of(name) or name.strip("[]") for name in self.settings.names)))

    @property
    def cookie(self) -> str:
        """What a browser keeps that has shown the token: not the token itself."""
        return hmac.new(self.settings.token.encode(), COOKIE.encode(), hashlib.sha256).hexdigest()

    @property
    def form_token(self) -> str:
        """What the forms carry."""
        if not self.settings.token:
            return self.form
        return hmac.new(self.settings.token.encode(), self.form.encode(), hashlib.sha256).hexdigest()

    def wrapped(self, application: Application) -> Application:
        """The application behind the allow-list, with our headers on every answer, its errors and files as well.

        `/ping` is answered here already: nothing but the server itself has to be well for it.
        """
        names = self.names

        def guarded(asked: Asked, start: Callable[..., Any]) -> Iterable[bytes]:
            def started(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
                return start(status, headers + HEADERS, error)

            if name_of(asked.get("HTTP_HOST", "")) not in names:
                started("421 Misdirected Request", [_TEXT])
                return [b"This name is not known here. Add it to DASHBOARD_ALLOWED_HOSTS.\n"]
            if asked["PATH_INFO"] == "/ping":
                started("200 OK", [_TEXT, ("Content-Length", str(len(PONG)))])
                return [] if asked["REQUEST_METHOD"] == "HEAD" else [PONG]
            return application(asked, started)

        return guarded

    def opens(self, given: str) -> bool:
        """Whether this is the token."""
        return bool(self.settings.token) and hmac.compare_digest(given.encode(), self.settings.token.encode())

    def may_see(self, host: str, headers: Mapping[str, str], cookies: Mapping[str, str]) -> bool:
        """Whether who asks may see more than the bare status: has the token; without one, is on this machine."""
        if not self.settings.token:
            return is_loopback(name_of(host))
        return self._bears(headers) or hmac.compare_digest(cookies.get(COOKIE, "").encode(), self.cookie.encode())

    def may_act(self, host: str, headers: Mapping[str, str], cookies: Mapping[str, str], form_token: str) -> bool:
        """Whether a POST may start something: from our own page, by who may see it and carries its form token.

        With the token in its header there is no browser behind it that another page could use.
        """
        if self._bears(headers):
            return True
        carries = hmac.compare_digest(form_token.encode(), self.form_token.encode())
        return carries and same_origin(host, headers) and self.may_see(host, headers, cookies)

    def _bears(self, headers: Mapping[str, str]) -> bool:
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.opens(given.strip())


def same_origin(host: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser says that its page is ours; what says nothing is believed, it needs a token anyhow.

    With `no-referrer` a form's Origin is `null` by the Fetch standard; Sec-Fetch-Site tells then.
    """
    site, origin = headers.get("Sec-Fetch-Site", ""), headers.get("Origin", "")
    if site and site != "same-origin":
        return False
    return origin in {"", "null"} or urlsplit(origin).netloc.lower() == host.lower()
