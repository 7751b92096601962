// Before and after, one over the other, with a slider between them.

export class Compare {
  /** box: what holds both pictures. slider: what is dragged, also by keys. active: whether it may be dragged now. */
  constructor(box, slider, active) {
    this.box = box;
    this.slider = slider;
    box.addEventListener("pointerdown", (event) => {
      if (!active()) return;
      event.preventDefault();
      slider.focus();
      box.setPointerCapture(event.pointerId);
      this.follow(event);
    });
    box.addEventListener("pointermove", (event) => this.follow(event));
    slider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.move(slider.getAttribute("aria-valuenow") / 100 + step);
    });
  }

  /** Put the slider at a part of the width. */
  move(at) {
    const shown = Math.min(1, Math.max(0, at));
    this.box.style.setProperty("--at", `${shown * 100}%`);
    this.slider.setAttribute("aria-valuenow", Math.round(shown * 100));
  }

  follow(event) {
    if (!this.box.hasPointerCapture(event.pointerId)) return;
    const place = this.box.getBoundingClientRect();
    this.move((event.clientX - place.left) / place.width);
  }
}
