// What livefilter has to say: a list of all of it, and a word that pops up for what is new.

import { toast } from "/link.js";

export class Notices {
  constructor(list) {
    this.list = list;
    this.newest = 0;
  }

  /** Take what is there next as known: a page that was just opened, or is back, lists it without popping up. */
  forget() {
    this.newest = 0;
  }

  show(notices) {
    const newest = notices.length ? notices[notices.length - 1].at : 0;
    const shown = `${newest}/${notices.length}`;
    if (this.list.dataset.newest === shown) return;
    this.list.dataset.newest = shown;
    this.list.replaceChildren(...notices.slice().reverse().map((each) => {
      const when = new Date(each.at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      return entry(when, each.text);
    }));
    if (this.newest) for (const each of notices) if (each.at > this.newest) toast(each.text);
    this.newest = Math.max(newest, 1);
  }
}

function entry(when, text) {
  const line = document.createElement("li"), aside = document.createElement("span");
  aside.textContent = when;
  line.append(aside, text);
  return line;
}
