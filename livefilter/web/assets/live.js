"use strict";

const CHECK_MS = 1000;
const IDLE_MS = 6000;
const SILENT_S = 5;

const asked = new URLSearchParams(location.search);
const clean = asked.get("clean") === "1";
document.documentElement.classList.toggle("clean", clean);
document.documentElement.classList.toggle("whole", asked.get("fit") === "contain");

const byId = (id) => document.getElementById(id);
const picture = byId("picture");

const SAYS = {
  waiting: ["Waiting for the first picture", "livefilter is running; its camera is being opened."],
  silent: ["The picture stands still", "livefilter is running, but has sent nothing new for some seconds."],
  gone: ["livefilter is not running", "Start it again with “livefilter run”. This page comes back by itself."],
};
const PILL = { live: "Live", waiting: "Waiting", silent: "Standing still", gone: "Not running" };

let instance = null;
let viewer = "";
let missed = 0;

function show(state, health) {
  document.body.dataset.state = state;
  picture.hidden = state !== "live";
  document.title = state === "live" ? "livefilter" : `${PILL[state]} - livefilter`;
  const mark = state === "live" ? health.mark : "";
  document.body.dataset.mark = mark;
  byId("status").textContent = mark || PILL[state];
  byId("figures").textContent = state === "live" ? `${health.width} × ${health.height}  ·  ${Math.round(health.fps)} fps` : "";
  if (health) {
    byId("size").textContent = `${health.width} × ${health.height}`;
    byId("size").hidden = false;
  }
  if (state in SAYS) {
    // Set only when it changes, or a screen reader says it every second.
    const [title, detail] = SAYS[state];
    if (byId("notice-title").textContent !== title) {
      byId("notice-title").textContent = title;
      byId("notice-detail").textContent = detail;
    }
  }
}

// The name is new each time: it makes the browser ask again, and the server can tell whether it still serves it.
function connect() {
  missed = 0;
  viewer = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  picture.src = `/stream.mjpg?viewer=${viewer}`;
}

async function ask() {
  try {
    const answer = await fetch(`/healthz?viewer=${viewer}`, { cache: "no-store", signal: AbortSignal.timeout(3000) });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

async function check() {
  const health = await ask();
  if (health === null) {
    instance = null;
    picture.removeAttribute("src");
    show("gone", null);
  } else {
    missed = health.watching ? 0 : missed + 1;
    if (health.instance !== instance || missed > 1) {
      instance = health.instance;
      connect();
    }
    show(health.frame === null ? "waiting" : health.silent_s > SILENT_S ? "silent" : "live", health);
  }
  setTimeout(check, CHECK_MS);
}

const address = `${location.origin}/?clean=1`;
byId("address").textContent = address;
byId("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(address);
    byId("copy").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(byId("address"));
    byId("copy").textContent = "Ctrl+C";
  }
  setTimeout(() => { byId("copy").textContent = "Copy"; }, 2000);
});
byId("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
});

let resting = 0;
function stir() {
  document.body.classList.remove("idle");
  clearTimeout(resting);
  resting = setTimeout(() => document.body.classList.toggle("idle", document.body.dataset.state === "live"), IDLE_MS);
}
for (const kind of ["pointermove", "pointerdown", "keydown", "focusin"]) addEventListener(kind, stir);
stir();
check();
