"""The optional model: finds the decisions of a message by an OpenAI-compatible API; what it cannot do, the rules do.

The text that is sent is redacted first. A run has a limit of seconds and of dollars; where one is reached, or the API
fails for good, the rules read the rest.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from utils.intake.model import Found, Message
from utils.intake.model_answer import UnusableError, decisions, request, suits, tokens_at_most, tokens_used

if TYPE_CHECKING:
    import requests

    from utils.sections import ModelSettings

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
TRIES = 3
PAUSE_SECONDS = 1.0
MOST_BYTES = 100_000

_PASSING = {408, 409, 429, 500, 502, 503, 504, 520, 522, 524, 529}
_MILLION = 1_000_000


class _PassingError(Exception):
    """A failure that may pass by itself; `wait` is how many seconds the API asks for."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        self.wait = wait
        super().__init__(why)


class _OffError(Exception):
    """The model is not asked again in this run; the text is the reason."""


class Model:
    """Finds decisions as the rules do, with a model's help.

    Args:
        settings: the API, and the limits of a run.
        redact: takes the secrets out of a text.
        rules: finds the decisions where the model does not.
    """

    def __init__(
        self, settings: ModelSettings, redact: Callable[[str], str], rules: Callable[[Message], list[Found]]
    ) -> None:
        self._settings, self._redact, self._rules = settings, redact, rules
        self._end = time.monotonic() + settings.most_seconds
        self._session: requests.Session | None = None
        self._off = ""
        self._unusable: Counter[str] = Counter()
        self.asked = 0
        self.dollars = 0.0

    def find(self, message: Message) -> list[Found]:
        """The decisions of a message, in its order."""
        if self._off or not suits(message):
            return self._rules(message)
        text = self._redact(message.text)
        try:
            return decisions(self._answer(text), message, text)
        except UnusableError as why:
            self._unusable[str(why)] += 1
        except _OffError as why:
            self._off = str(why)
        return self._rules(message)

    def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            self._session.close()

    @property
    def cost(self) -> str:
        """What the model was asked, in a line; '' where it was not."""
        return f"{self._named}: {self.asked:,} requests, about {self.dollars:.4f} dollars" if self.asked else ""

    @property
    def troubles(self) -> Iterator[str]:
        """What the model did not do, a line each."""
        for why, times in self._unusable.items():
            yield f"{self._named}: {times:,} answers {why}; the rules read those messages"
        if self._off:
            yield f"{self._named}: {self._off}; the rules read the rest"

    @property
    def _named(self) -> str:
        return f"model {self._settings.model}"

    def _answer(self, text: str) -> Any:
        """The API's answer about a text, asked for again after failures that pass.

        Raises:
            UnusableError: it is no JSON. _OffError: there is none, nor will there be in this run.
        """
        body = request(self._settings.model, text)
        for number in range(1, TRIES + 1):
            cost = self._reserved(text)
            try:
                answer = self._ask(body)
            except _PassingError as failure:
                pause = failure.wait or PAUSE_SECONDS * 2**number * random.uniform(0.25, 0.5)  # noqa: S311 jitter
                if number == TRIES or time.monotonic() + pause >= self._end:
                    raise _OffError(str(failure)) from failure
                time.sleep(pause)
                continue
            if used := tokens_used(answer):
                self.dollars += self._price(*used) - cost
            return answer
        raise AssertionError("unreachable")

    def _reserved(self, text: str) -> float:
        """What the next request may cost at most, counted as spent before it is sent.

        Raises:
            _OffError: it would cross a limit of the run.
        """
        cost = self._price(*tokens_at_most(text))
        if self.dollars + cost > self._settings.most_dollars:
            raise _OffError(f"OPENAI_MAX_DOLLARS ({self._settings.most_dollars:g}) would be passed")
        if time.monotonic() >= self._end:
            raise _OffError(f"OPENAI_MAX_SECONDS ({self._settings.most_seconds:g}) are over")
        self.dollars += cost
        self.asked += 1
        return cost

    def _price(self, sent: int, answered: int) -> float:
        return (sent * self._settings.price_in + answered * self._settings.price_out) / _MILLION

    def _ask(self, body: dict[str, Any]) -> Any:
        """One request.

        Raises:
            _PassingError: it may be sent again. _OffError: the API does not take it. UnusableError: no JSON came.
        """
        import requests

        end = min(self._end, time.monotonic() + ANSWER_SECONDS)
        left = max(end - time.monotonic(), 0.1)
        try:
            with self._open().post(
                f"{self._settings.base_url}/chat/completions",
                json=body,
                timeout=(min(CONNECT_SECONDS, left), left),
                allow_redirects=False,
                stream=True,
            ) as answer:
                status = answer.status_code
                if status in _PASSING:
                    raise _PassingError(f"the API fails ({status})", _seconds(answer.headers.get("Retry-After")))
                if status != 200:
                    raise _OffError(_refusal(status))
                return _json(answer, end)
        except requests.RequestException as error:
            raise _PassingError(f"the API cannot be reached ({type(error).__name__})") from error

    def _open(self) -> requests.Session:
        if self._session is None:
            import requests

            self._session = requests.Session()
            self._session.auth = self._signed  # as a header it would give way to a ~/.netrc
        return self._session

    def _signed(self, asked: requests.PreparedRequest) -> requests.PreparedRequest:
        asked.headers["Authorization"] = f"Bearer {self._settings.key}"
        return asked


def _json(answer: requests.Response, end: float) -> Any:
    """The body as JSON, read no longer than until `end` and no further than a body can sensibly be."""
    body = bytearray()
    for part in answer.iter_content(1):  # more at once would wait for a server that trickles
        body += part
        if len(body) > MOST_BYTES:
            raise UnusableError("too long")
        if time.monotonic() > end:
            raise _PassingError("the API answers too slowly")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise UnusableError("no JSON") from None


def _refusal(status: int) -> str:
    if status in {401, 403}:
        return f"refuses the key ({status}); check OPENAI_API_KEY"
    if status == 404:
        return "is not there (404); check OPENAI_MODEL and OPENAI_BASE_URL"
    return f"refuses the request ({status}); check OPENAI_MODEL and OPENAI_BASE_URL"


def _seconds(text: str | None) -> float:
    try:
        return max(float(text or ""), 0.0)
    except ValueError:
        return 0.0
