// What every view needs to talk to livefilter: the token, calls, and the WebSocket that comes back by itself.

const KEPT = "livefilter-token";
const asked = new URLSearchParams(location.search);
if (asked.get("token")) {
  localStorage.setItem(KEPT, asked.get("token"));
  asked.delete("token");
  // Out of the address bar, so that it is not passed on with a screenshot or a copied address.
  history.replaceState(null, "", `${location.pathname}${String(asked) && `?${asked}`}`);
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
    const error = new Error(told && told.error ? `${told.error.why} ${told.error.fix}` : `It was refused (${answer.status}).`);
    error.status = answer.status;
    throw error;
  }
  return answer;
}

/** Show a line for a while; `extra` is put beside it. It replaces one of the same subject, such as another strength. */
export function toast(text, kind = "", extra = []) {
  const box = document.createElement("div"), subject = text.split(/:|\d| on\b| off\b/)[0];
  box.className = `toast ${kind}`;
  box.dataset.subject = subject;
  const line = document.createElement("span");
  line.textContent = text;
  box.append(line, ...extra);
  const place = document.getElementById("toasts");
  for (const other of [...place.children]) if (other.dataset.subject === subject) other.remove();
  place.append(box);
  while (place.children.length > 4) place.firstChild.remove();
  setTimeout(() => box.remove(), extra.length ? 12000 : 5000);
  return box;
}

const SILENT_MS = 6000;
const AGAIN_MS = 1000;
const REFUSED_AGAIN_MS = 30000; // ten wrong tokens in a minute, and livefilter hears this computer no more
const REFUSED = [401, 403, 429];

/** Why livefilter does not let this page in; "" where it does, or is not there. */
async function refusal() {
  try {
    await call("/api/state");
    return "";
  } catch (error) {
    if (error.status === 401) localStorage.removeItem(KEPT); // a token that is none any more
    return REFUSED.includes(error.status) ? error.message : "";
  }
}

/**
 * One WebSocket to livefilter. on: functions by the type of message, and "open", "picture", and "closed", which is told why
 * the page is not let in, "" where livefilter is not there, and whether it only says nothing.
 */
export class Link {
  constructor(on) {
    this.on = on;
    this.wanted = {};
    this.connect();
    // A laptop that slept, or a network that is lost, leaves a connection that looks open, or is never made, and says
    // nothing; to close it properly would wait for the other side.
    setInterval(() => {
      if (this.socket && performance.now() - this.heard > SILENT_MS) this.lose(this.socket, "", true);
    }, 1000);
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(address(`${scheme}://${location.host}/api/events`));
    socket.binaryType = "blob";
    this.socket = socket;
    this.heard = performance.now();
    let opened = false;
    socket.addEventListener("open", () => { opened = true; this.subscribe({}); this.on.open?.(); });
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.socket) return;
      this.heard = performance.now();
      if (typeof data !== "string") { this.on.picture?.(data); return; }
      const told = JSON.parse(data);
      this.on[told.type]?.(told);
    });
    socket.addEventListener("close", async () => {
      if (socket !== this.socket) return;
      const why = opened ? "" : await refusal();
      if (socket === this.socket) this.lose(socket, why);
    });
  }

  /** Give a connection up and make another one after a while; silent: nothing says that the other side is gone. */
  lose(socket, why, silent = false) {
    this.socket = null;
    socket.close();
    this.on.closed?.(why, silent);
    setTimeout(() => this.connect(), why ? REFUSED_AGAIN_MS : AGAIN_MS);
  }

  send(value) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(value));
    return true;
  }

  subscribe(changes) {
    Object.assign(this.wanted, changes);
    this.send({ type: "subscribe", ...this.wanted });
  }

  act(name, parameters = {}) {
    if (!this.send({ type: "action", name, parameters })) toast("livefilter does not answer. Is it still running?", "error");
  }
}
