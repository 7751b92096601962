// A short clip on the photo view: sent, watched while it is styled, shown and loaded.

import { named } from "/files.js";
import { call } from "/link.js";

const EVERY_MS = 400;
const byId = (id) => document.getElementById(id);
let clip = null; // the one that counts: { name, style, sent: what livefilter says of it, id once it is there }

export function isClip(file) {
  return file.type.startsWith("video/") || /\.(mp4|mov|mkv|webm|avi|m4v)$/i.test(file.name);
}

/** Send a clip with its wishes and follow it to its end; throws what went wrong, unless it was left meanwhile. */
export async function styleClip(file, wishes) {
  const mine = { name: file.name, style: wishes.style };
  clip = mine;
  byId("clip").removeAttribute("src");
  byId("clip-load").hidden = true;
  byId("cancel").hidden = false;
  byId("facts").textContent = file.name;
  byId("clip-text").textContent = "Sending the clip";
  byId("progress").removeAttribute("value");
  const asked = new URLSearchParams({ name: file.name, network: "lite", ...wishes });
  try {
    mine.sent = call(`/api/clips?${asked}`, { method: "POST", body: file }).then((answer) => answer.json());
    mine.id = (await mine.sent).id;
    if (clip === mine) await watch(mine);
  } catch (error) {
    if (clip === mine) throw error;
  }
}

/** Go on without the clip, wherever it is; done when livefilter has forgotten it, too. */
export async function leaveClip() {
  const mine = clip;
  clip = null;
  try {
    if (mine) await call(`/api/clips/${(await mine.sent).id}`, { method: "DELETE" }); // it has no name before
  } catch { /* there is none */ }
}

async function watch(mine) {
  while (clip === mine) {
    const now = await (await call(`/api/clips/${mine.id}`)).json();
    if (now.error) throw new Error(now.error);
    byId("clip-text").textContent = now.total ? `Styling frame ${now.done} of ${now.total}` : `Styling frame ${now.done}`;
    if (now.total) byId("progress").value = now.done / now.total;
    if (now.finished) break;
    await new Promise((done) => setTimeout(done, EVERY_MS));
  }
  if (clip !== mine) return;
  const url = URL.createObjectURL(await (await call(`/api/clips/${mine.id}/styled.mp4`)).blob());
  byId("clip-text").textContent = "Done";
  byId("progress").value = 1;
  byId("cancel").hidden = true;
  byId("clip").src = url;
  byId("clip").addEventListener("loadedmetadata", () => {
    byId("compare").style.setProperty("--ratio", byId("clip").videoWidth / byId("clip").videoHeight);
  }, { once: true });
  byId("clip-load").href = url;
  byId("clip-load").download = named(mine.name, mine.style, "mp4");
  byId("clip-load").hidden = false;
}
