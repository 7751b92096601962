// What every view needs to talk to livefilter: the token, calls, and the WebSocket that comes back by itself.

const KEPT = "livefilter-token";
const asked = new URLSearchParams(location.search);
if (asked.get("token")) {
  localStorage.setItem(KEPT, asked.get("token"));
  asked.delete("token");
  // Out of the address bar, so that it is not passed on with a screenshot or a copied address.
  history.replaceState(null, "", `${location.pathname}${asked.size ? `?${asked}` : ""}`);
}
const token = localStorage.getItem(KEPT) || "";

export const options = asked;

/** The same address with the token, where there is one: pictures and WebSockets cannot send headers. */
export function address(path) {
  return token ? `${path}${path.includes("?") ? "&" : "?"}token=${encodeURIComponent(token)}` : path;
}

/** Fetch from livefilter; an answer that is no success becomes an Error whose message says why and how to mend it. */
export async function call(path, given = {}) {
  const headers = { ...given.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  let answer;
  try {
    answer = await fetch(path, { cache: "no-store", ...given, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("livefilter does not answer. Is it still running?");
  }
  if (!answer.ok) {
    const told = await answer.json().catch(() => null);
    throw new Error(told && told.error ? `${told.error.why} ${told.error.fix}` : `It was refused (${answer.status}).`);
  }
  return answer;
}

/** Show a line for a while; `extra` is put beside it. */
export function toast(text, kind = "", extra = []) {
  const box = document.createElement("div");
  box.className = `toast ${kind}`;
  const line = document.createElement("span");
  line.textContent = text;
  box.append(line, ...extra);
  const place = document.getElementById("toasts");
  place.append(box);
  while (place.children.length > 4) place.firstChild.remove();
  setTimeout(() => box.remove(), extra.length ? 12000 : 5000);
  return box;
}

const SILENT_MS = 6000;
const AGAIN_MS = 1000;

/** One WebSocket to livefilter. on: functions by the type of message, and "open", "closed", "picture". */
export class Link {
  constructor(on) {
    this.on = on;
    this.wanted = {};
    this.connect();
    // A laptop that slept leaves a connection that looks open and says nothing.
    setInterval(() => {
      if (this.socket.readyState === WebSocket.OPEN && performance.now() - this.heard > SILENT_MS) this.socket.close();
    }, 1000);
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(address(`${scheme}://${location.host}/api/events`));
    socket.binaryType = "blob";
    this.socket = socket;
    this.heard = performance.now();
    socket.addEventListener("open", () => { this.subscribe({}); this.on.open?.(); });
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.socket) return;
      this.heard = performance.now();
      if (typeof data !== "string") { this.on.picture?.(data); return; }
      const told = JSON.parse(data);
      this.on[told.type]?.(told);
    });
    socket.addEventListener("close", () => {
      if (socket !== this.socket) return;
      this.on.closed?.();
      setTimeout(() => this.connect(), AGAIN_MS);
    });
  }

  send(value) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(value));
    return true;
  }

  subscribe(changes) {
    Object.assign(this.wanted, changes);
    this.send({ type: "subscribe", ...this.wanted });
  }

  act(name, parameters = {}) {
    if (!this.send({ type: "action", name, parameters })) toast("livefilter is not running.", "error");
  }
}
