// The setup view: what works here, where to point OBS and phones, and which keys there are.

import { address, call, toast } from "/link.js";

const byId = (id) => document.getElementById(id);

async function json(path) {
  try {
    return await (await call(path)).json();
  } catch (error) {
    toast(error.message, "error");
    return null;
  }
}

async function addresses() {
  const found = await json("/api/addresses");
  if (!found) return;
  byId("obs").textContent = `${location.origin}/?clean=1`;
  byId("dock").textContent = `${location.origin}/dock`;
  byId("mjpeg").textContent = `${location.origin}/stream.mjpg`;
  if (found.network) {
    byId("phone").textContent = `On this network: ${found.network} - who has this address can watch and steer.`;
    byId("qr").src = address("/api/qr.svg");
    byId("qr").hidden = false;
  }
}

async function doctor() {
  byId("again").disabled = true;
  const found = await json("/api/doctor");
  byId("again").disabled = false;
  if (!found) return;
  byId("rows").replaceChildren(...found.rows.map((row) => {
    const entry = document.createElement("li"), dot = document.createElement("i");
    const name = document.createElement("b"), detail = document.createElement("span");
    entry.dataset.status = row.status;
    dot.setAttribute("role", "img");
    dot.setAttribute("aria-label", { ok: "works", warn: "missing", fail: "does not work", absent: "not here" }[row.status]);
    name.textContent = row.name;
    detail.textContent = row.detail;
    entry.append(dot, name, detail);
    if (row.fix) {
      const fix = document.createElement("small");
      fix.textContent = row.fix;
      entry.append(fix);
    }
    return entry;
  }));
}

async function keys() {
  const found = await json("/api/actions");
  if (!found) return;
  byId("keys").replaceChildren(...found.actions.map((action) => {
    const row = document.createElement("tr");
    for (const text of [action.help, action.key, action.hotkey, action.pad.replaceAll(":", " "), action.name]) {
      row.insertCell().textContent = text;
    }
    return row;
  }));
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const place = byId(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(place.textContent);
      button.textContent = "Copied";
    } catch {
      // Over plain HTTP on a network there is no clipboard.
      getSelection().selectAllChildren(place);
      button.textContent = "Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
byId("again").addEventListener("click", doctor);
addresses();
keys();
doctor();
