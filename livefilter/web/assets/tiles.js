// A tile for each style, with your own camera in it where there is one.

import { address, call } from "/link.js";

const ROUND_MS = 4000;
const SOON_MS = 500;

export class Tiles {
  constructor(place, choose) {
    this.place = place;
    this.choose = choose;
    this.names = "";
    place.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = [...place.children], next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
      next.focus();
      next.click();
    });
    this.round();
  }

  show(state) {
    const names = state.styles.map((style) => style.name).join();
    if (names !== this.names) {
      this.names = names;
      this.place.replaceChildren(...state.styles.map((style, at) => this.tile(style, at)));
    }
    for (const tile of this.place.children) {
      const wanted = tile.dataset.style === state.style;
      tile.setAttribute("aria-checked", wanted);
      tile.tabIndex = wanted ? 0 : -1;
      tile.dataset.loading = wanted && state.shown_style !== state.style;
    }
  }

  /** The pictures of a run that is over may show another camera: back to the cards' own. */
  forget() {
    for (const tile of this.place.children) {
      const picture = tile.querySelector("img");
      if (picture.src.startsWith("blob:")) URL.revokeObjectURL(picture.src);
      picture.src = card(tile.dataset.style);
    }
  }

  tile(style, at) {
    const tile = document.createElement("button");
    tile.type = "button";
    tile.className = "tile";
    tile.dataset.style = style.name;
    tile.setAttribute("role", "radio");
    tile.title = style.description;
    const picture = document.createElement("img");
    picture.alt = "";
    picture.src = card(style.name);
    const line = document.createElement("span"), name = document.createElement("b");
    name.textContent = style.title;
    line.append(name);
    if (at < 9) {
      const key = document.createElement("kbd");
      key.textContent = at + 1;
      line.append(key);
    }
    tile.append(picture, line);
    tile.addEventListener("click", () => this.choose(style.name));
    return tile;
  }

  /** One thumbnail after the other: they are drawn when there is time for it. */
  async round() {
    for (const tile of [...this.place.children]) {
      if (document.hidden || document.body.dataset.state !== "live") break;
      try {
        const answer = await call(`/api/styles/${encodeURIComponent(tile.dataset.style)}/live.jpg`);
        if (answer.status !== 200) continue;
        const picture = tile.querySelector("img"), before = picture.src;
        picture.src = URL.createObjectURL(await answer.blob());
        if (before.startsWith("blob:")) URL.revokeObjectURL(before);
      } catch { /* the picture that is there stays */ }
    }
    setTimeout(() => this.round(), document.body.dataset.state === "live" ? ROUND_MS : SOON_MS);
  }
}

function card(name) {
  return address(`/api/styles/${encodeURIComponent(name)}/card.jpg`);
}
