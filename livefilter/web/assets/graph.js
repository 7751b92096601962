// Frames per second and delay of the last minute, as two lines that move.

const SECONDS = 60;

export class Graph {
  constructor(canvas) {
    this.canvas = canvas;
    this.points = [];
  }

  add(fps, delay) {
    const now = performance.now();
    this.points.push({ at: now, fps, delay });
    while (this.points.length && this.points[0].at < now - SECONDS * 1000 - 1000) this.points.shift();
    this.draw(now);
  }

  draw(now) {
    const { canvas, points } = this, { width, height } = canvas, pen = canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);
    pen.strokeStyle = "#322d3d";
    pen.lineWidth = 1;
    for (const share of [0.02, 0.5, 0.98]) {
      pen.beginPath(); pen.moveTo(0, height * share); pen.lineTo(width, height * share); pen.stroke();
    }
    const most = { fps: 30, delay: 100 };
    for (const point of points) for (const kind of ["fps", "delay"]) most[kind] = Math.max(most[kind], (point[kind] ?? 0) * 1.1);
    for (const [kind, colour] of [["delay", "#ffb2c4"], ["fps", "#6ee7a8"]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = 3;
      pen.lineJoin = "round";
      pen.beginPath();
      let begun = false;
      for (const point of points) {
        if (point[kind] === null) { begun = false; continue; }
        const x = width * (1 - (now - point.at) / 1000 / SECONDS), y = height * (0.98 - 0.96 * point[kind] / most[kind]);
        if (begun) pen.lineTo(x, y); else pen.moveTo(x, y);
        begun = true;
      }
      pen.stroke();
    }
  }
}
