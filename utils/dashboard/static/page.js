// Fetches the page anew from time to time, counts down, and shows times in this browser's zone as well.
"use strict";

const EVERY = 30, WHILE_RUNNING = 3;
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
let wait = EVERY;

function spell(seconds) {
  if (seconds < 0) return "now";
  const parts = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"], [Math.floor(seconds) % 60, "s"]];
  const first = Math.max(parts.findIndex(([count]) => count), 0);
  return "in " + (parts.slice(first, first + 2).filter(([count]) => count).map((part) => part.join(" ")).join(" ") || "0 s");
}

function count() {
  for (const each of document.querySelectorAll(".countdown"))
    each.textContent = spell((new Date(each.dataset.at) - Date.now()) / 1000);
}

function tellLocalTimes() {
  for (const each of document.querySelectorAll("time")) {
    const here = local.format(new Date(each.dateTime));
    each.title = each.title ? `${each.title.split(" / ")[0]} / ${here} here` : `${here} here`;
  }
  const seen = document.querySelector(".seen time:last-child");
  if (seen) seen.after(` (${local.format(new Date(seen.dateTime))} here)`);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  document.getElementById("zone").textContent = `Times are UTC; point at one for the time here (${zone}).`;
}

function take(fetched) {
  const old = document.getElementById("main"), fresh = fetched.getElementById("main");
  const open = [...old.querySelectorAll("details[open]")].map((each) => each.id);
  const focused = document.activeElement && old.contains(document.activeElement) ? document.activeElement : null;
  const said = old.querySelector("h1").textContent;
  const scrolled = new Map([...old.querySelectorAll("details[open] [tabindex]")].map((each) => [each.ariaLabel, each.scrollTop]));
  for (const id of open) {
    const each = fresh.querySelector(`#${CSS.escape(id)}`);
    if (each) each.open = true;
  }
  const again = focused && (focused.id || (focused.closest("details") || {}).id);
  old.replaceWith(fresh);
  for (const each of fresh.querySelectorAll("details[open] [tabindex]")) each.scrollTop = scrolled.get(each.ariaLabel) || 0;
  if (again) {
    const target = document.getElementById(again);
    if (target) (target.matches("details") ? target.querySelector("summary") : target).focus({ preventScroll: true });
  }
  document.title = fetched.title;
  document.getElementById("made").textContent = fetched.getElementById("made").textContent;
  const says = fresh.querySelector("h1").textContent;
  document.getElementById("live").textContent = says === said ? "" : says.trim();
}

async function refresh() {
  try {
    const answer = await fetch("/", { cache: "no-store" });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    begin();
  } catch (error) {
    document.getElementById("live").textContent = `The page does not answer (${error.message}): what is seen here is old.`;
  }
  setTimeout(refresh, wait * 1000);
}

function begin() {
  wait = document.querySelector(".job button:disabled") ? WHILE_RUNNING : EVERY;
  tellLocalTimes();
  count();
}

begin();
setInterval(count, 1000);
setTimeout(refresh, wait * 1000);
