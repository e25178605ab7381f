"""The page in a browser: widths, light and dark, keyboard, names for a screen reader, with and without script."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard import homes
from tests.dashboard.conftest import Served
from utils import state
from utils.dashboard.app import LOOK_SECONDS
from utils.sections import DashboardSettings

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MADE: dict[str, Callable[[Path], Path]] = {
    "no data": homes.empty,
    "all well": lambda home: homes.kept(home, homes.hour()),
    "three down": lambda home: homes.kept(home, homes.hour(), homes.THREE),
}
CONTRAST = """
() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (each) => {
    for (; each; each = each.parentElement) {
      const found = rgb(getComputedStyle(each).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const each of document.querySelectorAll("body *")) {
    const own = [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !each.checkVisibility() || each.disabled) continue;
    const pair = [light(rgb(getComputedStyle(each).color)), light(ground(each))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) weak.push(`${each.className || each.tagName} ${each.textContent.trim().slice(0, 30)}: ${ratio}`);
  }
  return weak;
}
"""


def opened(browser: Any, address: str, **more: Any) -> tuple[Any, list[str]]:
    """A tab on an address, and what it complains of."""
    tab = browser.new_context(**{"viewport": DESKTOP, **more}).new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("requestfailed", lambda request: complaints.append(request.url))
    tab.goto(address)
    return tab, complaints


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_can_be_read_and_nothing_complains(
    tmp_path: Path, browser: Any, served: Served, made: str, viewport: dict[str, int], scheme: str
) -> None:
    address = served(MADE[made](tmp_path / "home"))
    tab, complaints = opened(browser, address, viewport=viewport, color_scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert tab.evaluate(CONTRAST) == []
    grounds = {"light": "rgb(245, 246, 248)", "dark": "rgb(18, 22, 28)"}
    assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == grounds[scheme]
    for summary in tab.locator("summary").all():
        summary.click()
    assert tab.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert complaints == []
    tab.context.close()


def test_the_keyboard_reaches_everything_that_does_something(tmp_path: Path, browser: Any, served: Served) -> None:
    tab, _ = opened(browser, served(homes.kept(tmp_path / "home", homes.hour(), homes.THREE)))
    wanted = tab.locator("a, button, summary").count()
    reached = set()
    for _ in range(wanted + 5):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("document.activeElement.outerHTML"))
        outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or tab.evaluate("document.activeElement === document.body")
    assert len([each for each in reached if each.startswith(("<a", "<button", "<summary"))]) >= 15
    tab.locator("#checks-notion summary").focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#checks-notion li").first.is_visible()
    tab.context.close()


def test_a_screen_reader_hears_words_for_every_picture_and_button(tmp_path: Path, browser: Any, served: Served) -> None:
    tab, _ = opened(browser, served(homes.kept(tmp_path / "home", homes.hour(), homes.THREE)))
    tree = tab.locator("body").aria_snapshot()
    assert 'heading "3 things are down" [level=1]' in tree
    assert 'button "Run now backup"' in tree
    assert 'img "notion, the last 90 days: worked' in tree
    assert 'img "how long the last 24 runs of sync took"' in tree
    assert "status" in tree
    unnamed = "svg:not([aria-hidden]):not([aria-label]), button:empty, [role=region]:not([aria-label])"
    assert tab.locator(unnamed).count() == 0
    levels = [int(tag[1]) for tag in tab.evaluate("[...document.querySelectorAll('h1,h2,h3')].map((e) => e.tagName)")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert tab.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id).length") == tab.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size"
    )
    tab.context.close()


def test_without_script_everything_is_there_and_a_job_starts(tmp_path: Path, browser: Any, served: Served) -> None:
    address = served(homes.kept(tmp_path / "home", homes.hour(), homes.THREE))
    tab, _ = opened(browser, address, java_script_enabled=False)
    assert tab.locator("h1").inner_text().strip() == "3 things are down"
    assert tab.locator('noscript meta[http-equiv="refresh"], meta[http-equiv="refresh"]').count() == 1
    tab.locator("#checks-machine summary").click()
    assert tab.locator("#checks-machine li").nth(3).is_visible()
    tab.locator("#run-files").click()
    assert tab.url == f"{address}/#job-files"
    assert tab.locator("#run-files").inner_text().startswith("Running")
    assert tab.locator("#run-files").is_disabled()
    tab.context.close()


def test_with_script_times_are_told_here_too_and_it_counts_down(tmp_path: Path, browser: Any, served: Served) -> None:
    address = served(homes.kept(tmp_path / "home", homes.hour()))
    tab, complaints = opened(browser, address, timezone_id="Asia/Tokyo", locale="en-GB")
    assert "UTC (" in tab.locator(".seen").inner_text()
    assert "Asia/Tokyo" in tab.locator("#zone").inner_text()
    assert tab.locator(".seen time").last.get_attribute("title").endswith("here")
    first = tab.locator("#job-restore-test .countdown").inner_text()
    assert first.startswith("in ")
    assert complaints == []
    tab.context.close()


def test_it_renews_itself_where_the_reader_is(tmp_path: Path, browser: Any, served: Served) -> None:
    home = homes.kept(tmp_path / "home", homes.hour())
    tab, complaints = opened(browser, served(home))
    tab.locator("#checks-notion summary").click()
    tab.locator("#run-sync").focus()
    with state.open_state(home / state.STATE_FILE) as db:
        now = homes.hour()
        state.record_run(db, state.RunRecord("9", "sync", now, now, "done", "memory_sync: 7 merged", 0))
    tab.wait_for_timeout(LOOK_SECONDS * 1000)
    tab.evaluate("refresh()")
    tab.get_by_text("memory_sync: 7 merged").first.wait_for(state="attached")
    assert tab.evaluate("document.activeElement.id") == "run-sync"
    assert tab.locator("#checks-notion").get_attribute("open") is not None
    assert complaints == []
    tab.context.close()


def test_a_page_that_answers_no_more_is_said(tmp_path: Path, browser: Any, served: Served) -> None:
    tab, _ = opened(browser, served(homes.kept(tmp_path / "home", homes.hour())))
    tab.route("**/*", lambda route: route.abort())
    tab.evaluate("refresh()")
    tab.get_by_text("The page does not answer").wait_for()
    tab.context.close()


def test_a_browser_is_asked_for_the_token_once(tmp_path: Path, browser: Any, served: Served) -> None:
    settings = DashboardSettings(token="a-token-of-the-tests")
    tab, _ = opened(browser, served(homes.kept(tmp_path / "home", homes.hour()), settings))
    tab.get_by_label("Token").fill("wrong")
    tab.get_by_role("button").click()
    assert tab.get_by_role("alert").inner_text() == "This is not the token."
    tab.get_by_label("Token").fill("a-token-of-the-tests")
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", name="All is well").wait_for()
    tab.locator("#run-files").click()
    tab.locator("#run-files:disabled").wait_for()
    tab.context.close()
