// What livefilter has to say: a list of all of it, and a word that pops up for what is new.

import { toast } from "/link.js";

export class Notices {
  constructor(list) {
    this.list = list;
    this.newest = null;
  }

  /** Take what is there next as known: a page that was just opened, or is back, lists it without popping up. */
  forget() {
    this.newest = null;
  }

  show(notices) {
    const newest = notices.length ? notices[notices.length - 1].number : 0;
    if (newest === this.newest) return;
    this.list.replaceChildren(...notices.slice().reverse().map((each) => {
      const when = new Date(each.at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      return entry(when, each.text);
    }));
    if (this.newest !== null) for (const each of notices) if (each.number > this.newest) toast(each.text);
    this.newest = newest;
  }
}

function entry(when, text) {
  const line = document.createElement("li"), aside = document.createElement("span");
  aside.textContent = when;
  line.append(aside, text);
  return line;
}
