// The photo view: a photo in all styles side by side, before and after, at full resolution; short clips, too.

import { isClip, leaveClip, styleClip } from "/clip.js";
import { Compare } from "/compare.js";
import { named, onFile, save } from "/files.js";
import { address as addressOf, call, toast } from "/link.js";

const byId = (id) => document.getElementById(id);
const box = byId("compare"), grid = byId("grid");
const compare = new Compare(box, byId("slider"), () => document.body.dataset.kind === "photo");

let styles = [];
let style = "";
const chosen = { network: "auto", faces: "usual", person: "style", room: "style" };
let photo = null; // { id, name, width, height, original }
let drawn = new Map(); // what is drawn -> address of the styled preview
let round = null; // ends the drawing of what is not wanted any more
let clip = null; // the file of a clip that is shown instead of a photo
let wishes = 0; // how often a clip was wished anew
let left = Promise.resolve(); // when livefilter has forgotten the clips before

function looks() {
  return `${new URLSearchParams(chosen)}&strength=${strength()}`;
}

function keyOf(name) {
  return `${name}?${looks()}`;
}

function strength() {
  return byId("strength").value / 100;
}

async function start() {
  try {
    const state = await (await call("/api/state")).json();
    styles = state.styles || [];
    byId("camera").hidden = !state.live;
    style = state.style || (styles[0] || {}).name;
  } catch (error) {
    toast(error.message, "error");
    return;
  }
  styles.slice(0, 3).forEach(async (each, at) => {
    try {
      byId(`card-${at + 1}`).src = URL.createObjectURL(await (await call(`/api/styles/${each.name}/card.jpg`)).blob());
    } catch { /* decoration */ }
  });
}

function view(name, kind = "photo") {
  document.body.dataset.view = name;
  document.body.dataset.kind = kind;
  byId("clip-work").hidden = kind !== "clip";
  byId("clip").hidden = kind !== "clip";
}

function busy(text) {
  byId("busy").hidden = !text;
  if (text) byId("busy-text").textContent = text;
}

function forget() {
  round?.abort();
  for (const address of drawn.values()) URL.revokeObjectURL(address);
  drawn = new Map();
  if (photo) {
    URL.revokeObjectURL(photo.original);
    call(`/api/photos/${photo.id}`, { method: "DELETE" }).catch(() => {});
  }
  photo = clip = null;
  for (const id of ["before", "after"]) byId(id).removeAttribute("src");
}

/** Show a photo that livefilter has taken in. */
async function open(answer) {
  forget();
  photo = await answer.json();
  photo.original = URL.createObjectURL(await (await call(`/api/photos/${photo.id}/original.jpg`)).blob());
  byId("before").src = photo.original;
  box.style.setProperty("--ratio", photo.width / photo.height);
  byId("facts").textContent = `${photo.name}  ·  ${photo.width} × ${photo.height}`;
  compare.move(0.5);
  view("work");
  await all();
}

/** Draw every style, the chosen one first, and show each as it is done. */
async function all() {
  round?.abort();
  round = new AbortController();
  const { signal } = round, of = photo;
  tiles();
  show();
  const order = [...styles].sort((one, other) => (other.name === style) - (one.name === style));
  for (const each of order) {
    const key = keyOf(each.name);
    if (!drawn.has(key)) {
      try {
        const answer = await call(`/api/photos/${of.id}/${encodeURIComponent(each.name)}.jpg?${looks()}`, { signal });
        const blob = await answer.blob();
        if (signal.aborted || photo !== of) return;
        drawn.set(key, URL.createObjectURL(blob));
      } catch (error) {
        if (signal.aborted || error.name === "AbortError") return;
        toast(`${each.title}: ${error.message}`, "error");
        continue;
      }
    }
    tiles();
    if (each.name === style) show();
  }
}

function show() {
  const address = drawn.get(keyOf(style));
  if (address) byId("after").src = address;
  busy(address || document.body.dataset.kind === "clip" ? "" : "Drawing");
  tell();
}

/** Say the strength. Pictures of it are drawn anew: a photo mixed into a drawing with larger eyes has four of them. */
function tell() {
  const shown = strength();
  byId("strength-value").textContent = `${Math.round(shown * 100)} %`;
  byId("strength").style.setProperty("--at", `${(shown * 100) / 1.5}%`);
  box.style.background = photo ? `center / contain no-repeat url("${photo.original}") #0a090d` : "";
}

function tiles() {
  if (grid.children.length !== styles.length) {
    grid.replaceChildren(...styles.map((each) => {
      const choice = document.createElement("button"), frame = document.createElement("div");
      const picture = document.createElement("img"), name = document.createElement("span");
      choice.type = "button";
      choice.className = "choice";
      choice.dataset.style = each.name;
      choice.setAttribute("role", "radio");
      choice.title = each.description;
      picture.alt = "";
      name.textContent = each.title;
      frame.append(picture);
      choice.append(frame, name);
      choice.addEventListener("click", () => choose(each.name));
      return choice;
    }));
  }
  for (const choice of grid.children) {
    const address = drawn.get(keyOf(choice.dataset.style)), picture = choice.querySelector("img");
    choice.dataset.drawing = Boolean(photo) && !address;
    // What was drawn of this photo with other wishes stays until the new drawing is there.
    const card = addressOf(`/api/styles/${encodeURIComponent(choice.dataset.style)}/card.jpg`); // beside a clip
    const wanted = address || (!photo ? card : picture.dataset.of !== photo.id ? photo.original : "");
    if (wanted && picture.getAttribute("src") !== wanted) picture.src = wanted;
    picture.dataset.of = photo ? photo.id : "";
    choice.setAttribute("aria-checked", choice.dataset.style === style);
    choice.tabIndex = choice.dataset.style === style ? 0 : -1;
  }
}

function choose(name) {
  const other = name !== style;
  style = name;
  tiles();
  if (clip) {
    if (other) again();
    return;
  }
  show();
  if (photo && !drawn.has(keyOf(style))) all();
}

grid.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 2, ArrowLeft: -1, ArrowUp: -2 }[event.key], many = [...grid.children];
  if (!step) return;
  event.preventDefault();
  const next = many[(many.indexOf(document.activeElement) + step + many.length) % many.length];
  next.focus();
  next.click();
});

let settled = 0;
byId("strength").addEventListener("input", () => {
  tell();
  clearTimeout(settled);
  settled = setTimeout(() => { if (photo) all(); else if (clip) again(); }, 150);
});
for (const name of Object.keys(chosen)) {
  const buttons = [...byId(name).children];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      chosen[name] = button.dataset.value;
      for (const each of buttons) each.setAttribute("aria-checked", each === button);
      if (photo) all();
    });
  }
}

/** Take in whatever was dropped, pasted or chosen. */
async function take(file) {
  left = left.then(leaveClip);
  if (isClip(file)) { await left; await takeClip(file); return; }
  busy("");
  view("work");
  forget();
  byId("facts").textContent = file.name;
  busy("Reading");
  try {
    await open(await call(`/api/photos?name=${encodeURIComponent(file.name || "photo")}`, { method: "POST", body: file }));
  } catch (error) {
    busy("");
    view("empty");
    toast(error.message, "error");
  }
}

async function from(where) {
  try {
    await open(await call(`/api/photos/${where}`, { method: "POST" }));
  } catch (error) {
    toast(error.message, "error");
  }
}

async function whole(kind) {
  const path = `/api/photos/${photo.id}/${encodeURIComponent(style)}/full.${kind}?${looks()}`;
  busy("Drawing at full resolution");
  try {
    return await (await call(path)).blob();
  } finally {
    busy("");
  }
}

byId("download").addEventListener("click", async () => {
  const kind = byId("kind").value;
  try {
    save(await whole(kind), named(photo.name, style, kind));
  } catch (error) {
    toast(error.message, "error");
  }
});
byId("copy").addEventListener("click", async () => {
  try {
    if (!navigator.clipboard || !window.ClipboardItem) {
      // Over plain HTTP on a network there is no clipboard.
      save(await whole("png"), named(photo.name, style, "png"));
      return;
    }
    await navigator.clipboard.write([new ClipboardItem({ "image/png": whole("png") })]);
    toast("Copied");
  } catch (error) {
    toast(error.message || "It could not be copied.", "error");
  }
});

async function takeClip(file) {
  forget();
  clip = file;
  tiles();
  view("work", "clip");
  try {
    await styleClip(file, { style, strength: strength() });
  } catch (error) {
    toast(error.message, "error");
    clip = null;
    view("empty");
  }
}

/** The clip once more, in the style and strength that were chosen last. */
async function again() {
  const file = clip, mine = ++wishes;
  left = left.then(leaveClip);
  await left;
  if (clip === file && mine === wishes) await takeClip(file);
}

byId("cancel").addEventListener("click", () => { left = left.then(leaveClip); forget(); view("empty"); });
byId("another").addEventListener("click", () => { left = left.then(leaveClip); forget(); view("empty"); byId("choose").focus(); });
byId("sample").addEventListener("click", () => from("sample"));
byId("camera").addEventListener("click", () => from("camera"));

onFile(take);
start();
