// The live view, the dock and the bare picture: one page in three dresses.

import { address, call, Link, options, toast } from "/link.js";
import { transparent } from "/cutout.js";
import { Graph } from "/graph.js";
import { Notices } from "/notices.js";
import { Tiles } from "/tiles.js";
import { showWall } from "/wall.js";

const SILENT_S = 5;
const HERE = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);
const METERS_HZ = 4;
const clean = options.get("clean") === "1";
const dock = location.pathname === "/dock";
document.documentElement.classList.toggle("clean", clean);
document.documentElement.classList.toggle("whole", options.get("fit") === "contain");
document.documentElement.classList.toggle("dock", dock);

const byId = (id) => document.getElementById(id);
const picture = byId("picture"), stage = byId("stage"), line = byId("line");
const SAYS = {
  waiting: ["Waiting for the first picture", "livefilter is running; its camera is being opened."],
  silent: ["The picture stands still", "livefilter is running, but has sent nothing new for some seconds."],
  gone: ["livefilter is not running", "Start it again with “livefilter run”. This page comes back by itself."],
  lost: ["livefilter does not answer", `It ${HERE ? "stands still, or this machine is very busy" : "has ended, or this device has lost the network"}. This page comes back by itself.`],
  refused: ["livefilter does not let this page in", ""],
  studio: ["No live run is on", "The photo page works without one. Start one with “livefilter run”."],
  wall: ["A wall of live streams", "Each stream that has a page is steered there."],
};
const PILL = {
  live: "Live", waiting: "Waiting", silent: "Standing still", gone: "Not running", lost: "No answer", refused: "Not let in", studio: "Photo only", wall: "Wall",
};

let state = null;
let cutOut = false;

const graph = new Graph(byId("graph"));
const notices = new Notices(byId("log"));
const tiles = clean ? null : new Tiles(byId("tiles"), (name) => link.act("style", { name }));

function setText(id, text) {
  // Set only when it changes, or a screen reader says it every second.
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

function show(condition, health) {
  document.body.dataset.state = condition;
  picture.hidden = condition !== "live";
  document.title = condition === "live" ? "livefilter" : `${PILL[condition]} - livefilter`;
  const mark = condition === "live" ? health.mark : "";
  document.body.dataset.mark = mark;
  setText("status", mark || PILL[condition]);
  setText("figures", condition === "live" ? `${health.width} × ${health.height}  ·  ${Math.round(health.fps)} fps` : "");
  const shown = /raw (camera|person)|weak style/i.test(mark) ? "you" : /raw room/i.test(mark) && "your room";
  byId("alarm").hidden = !shown;
  setText("alarm-text", shown ? `${mark.toUpperCase()}: viewers see ${shown}` : "");
  if (!health) for (const id of ["fps", "delay", "dropped", "watchers"]) setText(id, "-");
  if (!health) setText("governor", "");
  if (health) stage.style.setProperty("--ratio", health.width / health.height);
  if (condition in SAYS) {
    setText("notice-title", SAYS[condition][0]);
    setText("notice-detail", SAYS[condition][1]);
  }
}

async function draw(blob) {
  const halves = cutOut; // of this picture; what is told next is of later ones
  try {
    const image = await createImageBitmap(blob);
    const height = halves ? image.height / 2 : image.height;
    if (picture.width !== image.width || picture.height !== height) {
      picture.width = image.width;
      picture.height = height;
    }
    const context = picture.getContext("2d");
    if (halves) context.putImageData(transparent(image, height), 0, 0);
    else context.drawImage(image, 0, 0);
    image.close();
  } finally {
    link.send({ type: "seen" });
  }
}

function onMeters({ meters }) {
  const health = meters.picture;
  if (state?.streams) { show("wall", null); showWall(byId("streams"), state.streams, meters.streams, HERE); return; }
  if (health.frame === null && state && state.live === false) { show("studio", null); return; }
  show(health.frame === null ? "waiting" : health.silent_s > SILENT_S ? "silent" : "live", health);
  if (clean) return;
  const delay = meters.latency_ms ? meters.latency_ms.p50 : null;
  graph.add(meters.styled_fps ?? health.fps, delay);
  setText("fps", String(Math.round(meters.styled_fps ?? health.fps)));
  setText("delay", delay === null ? "-" : String(Math.round(delay)));
  setText("dropped", String(meters.dropped ?? "-"));
  setText("watchers", String(health.clients));
  if (meters.governor || (state && state.governor)) setText("governor", governed(meters.governor || state.governor));
  showObs(meters.obs);
  if (meters.recording_s !== null && meters.recording_s !== undefined) {
    const seconds = Math.floor(meters.recording_s);
    setText("recording-sign", `REC ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
  }
}

function onState(message) {
  state = message.state;
  if (clean || state.live === false) return;
  for (const button of document.querySelectorAll("[data-toggle]")) button.setAttribute("aria-pressed", state[button.dataset.field]);
  document.body.dataset.mirror = state.mirror;
  tiles.show(state);
  byId("strength").max = Math.round(state.strongest * 100);
  if (document.activeElement !== byId("strength") || !dragging) byId("strength").value = Math.round(state.strength * 100);
  byId("strength").style.setProperty("--at", `${(state.strength / state.strongest) * 100}%`);
  setText("strength-value", `${Math.round(state.strength * 100)} %`);
  showParts();
  check("network", state.network);
  check("prefer", state.prefer ?? "auto");
  const size = byId("size");
  if (![...size.options].some((each) => Number(each.value) === state.process_size)) {
    size.add(new Option(`${state.process_size} pixels`, state.process_size));
  }
  size.value = state.process_size;
  line.hidden = !state.compare || state.bypass;
  placeLine(state.mirror !== state.mirror_output ? 1 - state.split : state.split);
  byId("recording-sign").hidden = !state.recording;
  setText("engine", `${state.shown_style} ${state.shown_network} on ${state.backend}, ${state.device}`);
  byId("outputs").replaceChildren(...state.outputs.map((each) => item(each.name.replace(/https?:\/\//, ""), each.state)));
  const input = byId("input");
  if (input.dataset.name !== state.input.name) { input.dataset.name = state.input.name; listInputs(); }
  notices.show(state.notices);
}

/** The connection to OBS, where there is one. */
function showObs(obs) {
  setText("obs-state", obs ? obs.text : "");
  byId("add-to-obs").hidden = !(obs && obs.connected && !obs.source);
}

/** What person and room are, and the styles that the room can have of its own. */
function showParts() {
  const room = byId("room");
  for (const each of state.styles) {
    if (![...room.options].some((option) => option.value === each.name)) room.add(new Option(`In ${each.name}`, each.name));
  }
  room.querySelector("[value=picture]").hidden = !state.room_picture;
  room.value = state.room;
  byId("person").value = state.person;
}

/** Mark one of several buttons as the one that counts. */
function check(id, value) {
  for (const button of byId(id).children) {
    button.setAttribute("aria-checked", button.dataset.value === value);
    button.tabIndex = button.dataset.value === value ? 0 : -1;
  }
}

function governed(governor) {
  if (!governor) return "";
  const changes = governor.changes || [];
  const missing = governor.missing ? [`missing: ${governor.missing}`] : [];
  const text = [...changes.slice(-1).map((each) => each.text), ...missing].join("; ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function item(text, note) {
  const entry = document.createElement("li"), aside = document.createElement("span");
  aside.textContent = note;
  entry.append(text, aside);
  return entry;
}

async function listInputs() {
  const input = byId("input"), { name } = input.dataset;
  // A file by its name: its folders would leave no room for it.
  const now = new Option(name.replace(/(^|\s)(?:\/|[A-Za-z]:[\\/]).*[\\/]/, "$1"), "");
  input.title = name;
  try {
    const { inputs } = await (await call("/api/inputs")).json();
    const others = inputs.filter((each) => each.name.toLowerCase() !== name.toLowerCase());
    input.replaceChildren(now, ...others.map((each) => new Option(each.name, each.target)));
  } catch {
    input.replaceChildren(now);
  }
}

function placeLine(at) {
  line.style.left = `${at * 100}%`;
  line.setAttribute("aria-valuenow", Math.round(at * 100));
}

const link = new Link({
  open: () => { notices.forget(); tiles?.forget(); },
  closed: (why, silent) => { state = null; cutOut = false; SAYS.refused[1] = why; show(why ? "refused" : silent || !HERE ? "lost" : "gone", null); },
  state: onState,
  meters: onMeters,
  picture: draw,
  cutout: ({ on }) => { cutOut = on; },
  error: ({ error }) => toast(`${error.why} ${error.fix}`, "error"),
});
// The bare picture is transparent where the room is; ?alpha=0 leaves the plain green, for a chroma key.
link.subscribe({ picture: true, meters_hz: METERS_HZ, alpha: clean && options.get("alpha") !== "0" });
// A page that nobody sees asks for no pictures, so that the camera can rest; OBS never sees its own sources.
if (!clean) document.addEventListener("visibilitychange", () => link.subscribe({ picture: !document.hidden }));

for (const button of document.querySelectorAll("[data-toggle]")) {
  button.addEventListener("click", () => link.act(button.dataset.toggle, { on: button.getAttribute("aria-pressed") !== "true" }));
}

let dragging = false;
byId("strength").addEventListener("pointerdown", () => { dragging = true; });
addEventListener("pointerup", () => { dragging = false; });
byId("strength").addEventListener("input", (event) => link.act("strength", { value: event.target.value / 100 }));
for (const [id, parameter] of [["network", "size"], ["prefer", "what"]]) {
  const all = [...byId(id).children];
  byId(id).addEventListener("click", (event) => {
    if (event.target.dataset.value) link.act(id, { [parameter]: event.target.dataset.value });
  });
  byId(id).addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    next.focus();
    next.click();
  });
}
byId("size").addEventListener("change", (event) => link.act("process_size", { pixels: Number(event.target.value) }));
for (const id of ["person", "room"]) byId(id).addEventListener("change", (event) => link.act(id, { what: event.target.value }));
byId("input").addEventListener("change", (event) => { if (event.target.value) link.act("input", { target: event.target.value }); });

function moveLine(at) {
  const shown = Math.min(1, Math.max(0, at));
  placeLine(shown);
  link.act("split", { at: state && state.mirror !== state.mirror_output ? 1 - shown : shown });
}
line.addEventListener("pointerdown", (event) => line.setPointerCapture(event.pointerId));
line.addEventListener("pointermove", (event) => {
  if (!line.hasPointerCapture(event.pointerId)) return;
  const box = stage.getBoundingClientRect();
  moveLine((event.clientX - box.left) / box.width);
});
line.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -0.02, ArrowRight: 0.02, PageUp: 0.1, PageDown: -0.1, Home: -1, End: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  moveLine(Number(line.getAttribute("aria-valuenow")) / 100 + step);
});

async function snapshot() {
  link.act("snapshot");
  try {
    const url = URL.createObjectURL(await (await call("/snapshot.jpg")).blob());
    const shown = document.createElement("img"), load = document.createElement("a");
    shown.src = url;
    shown.alt = "The snapshot";
    load.href = url;
    load.download = `livefilter-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}.jpg`;
    load.textContent = "Download";
    toast("Snapshot", "", [shown, load]);
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  } catch (error) {
    toast(error.message, "error");
  }
}
byId("add-to-obs").addEventListener("click", () => link.act("add_to_obs"));
byId("snapshot").addEventListener("click", snapshot);

// The same keys as in the terminal; quitting is left to it.
let keys = {};
if (!clean) call("/api/actions").then((answer) => answer.json()).then(({ actions }) => {
  keys = Object.fromEntries(actions.filter((each) => each.key && each.name !== "quit" && each.name !== "help").map((each) => [each.key, each.name]));
}).catch(() => {});
addEventListener("keydown", (event) => {
  if (clean || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.target.closest("select")) return;
  const key = event.key === " " ? "space" : event.key.toLowerCase(), name = keys[key];
  if (!name || (key === "space" && event.target.closest("button, a"))) return;
  event.preventDefault();
  if (name === "snapshot") snapshot(); else link.act(name);
});

if (!clean) stage.addEventListener("dblclick", () => {
  if (document.fullscreenElement) document.exitFullscreen(); else stage.requestFullscreen();
});
byId("address").textContent = `${location.origin}/?clean=1`;
byId("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(byId("address").textContent);
    byId("copy").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(byId("address"));
    byId("copy").textContent = "Ctrl+C";
  }
  setTimeout(() => { byId("copy").textContent = "Copy"; }, 2000);
});
// For tests and curious people.
window.livefilter = { link, address };
