// A wall has no picture of its own: its streams, how each is, and where it is seen.

/** Fill a list with the streams of a wall. here: whether this browser runs on the wall's own machine. */
export function showWall(list, streams, meters, here) {
  const told = JSON.stringify(streams.map((stream) => [
    stream.name, stream.state, figures(stream, meters[stream.name]), trouble(stream), here ? page(stream) : "",
  ]));
  if (list.dataset.told === told) return; // a link that is replaced cannot be clicked
  list.dataset.told = told;
  list.replaceChildren(...JSON.parse(told).map(([name, state, what, why, address]) => {
    const entry = document.createElement("li"), title = document.createElement(address ? "a" : "b");
    title.textContent = name;
    if (address) title.href = address;
    entry.dataset.state = state;
    entry.append(title, line(state), line(what), line(why));
    return entry;
  }));
}

function figures(stream, meters) {
  return [stream.style, stream.machine, meters?.styled_fps === undefined ? "" : `${Math.round(meters.styled_fps)} fps`].filter(Boolean).join(" · ");
}

function trouble(stream) {
  return stream.waits_for ? `waits for ${stream.waits_for}` : stream.error;
}

/** The address of its page, where it has one. */
function page(stream) {
  return stream.outputs.map((output) => output.match(/^live page (https?:\S+)/)?.[1]).find(Boolean) ?? "";
}

function line(text) {
  const found = document.createElement("span");
  found.textContent = text;
  return found;
}
