// The spectrum viewer: eigenvalues at one epoch, beside curves along training with a marker at that epoch.

const PLOTS = [
  { label: "NTK trace Tr(Θ)", quantities: ["ntk_trace"] },
  { label: "Effective rank Γ(Θ)", quantities: ["effective_rank"] },
  { label: "Loss (test: dashed)", quantities: ["train_loss", "test_loss"] },
  { label: "Spectral position", quantities: ["spectral_position"] },
];
const NAMES = { ntk_trace: "trace", effective_rank: "Γ", train_loss: "train loss", test_loss: "test loss", spectral_position: "spectral position" };
const EPOCHS = { label: "Epoch", scale: "symlog", reversed: false, linear_to: 1, linear_length: 1 / 3 };
const STEP = 700; // milliseconds, while it plays

class SpectrumView {
  constructor(section) {
    this.section = section;
    for (const name of ["curve", "scale", "slider", "epoch", "play", "readout", "eigenvalues", "along"]) this[name] = document.getElementById(name);
    this.scaleName = document.getElementById("scale-name");
  }

  async draw() {
    [this.Plotly, this.curves] = await Promise.all([loadPlotly(), unpackJson(this.section.querySelector(".data"))]);
    this.section.querySelector(".viewer").hidden = false;
    this.curve.replaceChildren(...this.curves.map(({ title }, i) => element("option", { value: i, innerHTML: title })));
    this.curve.addEventListener("change", () => this.chooseCurve());
    this.scale.addEventListener("change", () => this.choosePoint());
    this.slider.addEventListener("input", () => this.moveTo(Number(this.slider.value)));
    this.play.addEventListener("click", () => this.playOrStop());
    await this.chooseCurve();
    renewTicksAfterZoom(this.eigenvalues);
    this.section.dataset.drawn = "true";
  }

  async chooseCurve() {
    const { symbol, label, points } = this.curves[this.curve.value];
    this.scaleName.innerHTML = label;
    const named = ({ scale }) => (symbol === "%" ? `${scale} %` : `${symbol} = ${scale}`);
    this.scale.replaceChildren(...points.map((point, i) => element("option", { value: i, textContent: named(point) })));
    await this.choosePoint();
  }

  // Another point keeps the epoch, as far as it has it.
  async choosePoint() {
    const epoch = this.point?.epochs[this.row] ?? 0;
    this.point = this.curves[this.curve.value].points[this.scale.value];
    const distances = this.point.epochs.map((own) => Math.abs(own - epoch));
    this.row = distances.indexOf(Math.min(...distances));
    this.slider.max = this.point.epochs.length - 1;
    this.slider.value = this.row;
    await this.redraw();
  }

  async redraw() {
    if (!this.point) return;
    this.tell();
    await this.Plotly.react(this.eigenvalues, this.eigenvalueTraces(), this.eigenvalueLayout(), PLOT_CONFIG);
    for (const [i, { label }] of PLOTS.entries()) {
      const plot = this.along.children[i] ?? this.along.appendChild(element("div", { className: "plot" }));
      const curves = this.curvesOf(PLOTS[i]);
      plot.hidden = curves.length === 0;
      if (plot.hidden) continue;
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", `${label} against epochs, with a marker at the chosen epoch`);
      await this.Plotly.react(plot, curves.flatMap((curve, j) => this.curveTraces(curve, j)), this.curveLayout(label, curves), PLOT_CONFIG);
    }
  }

  curvesOf({ quantities }) {
    return this.point.along.filter(({ quantity }) => quantities.includes(quantity));
  }

  // Only what moves with the slider; frames that come too fast are left out.
  moveTo(row) {
    this.row = row;
    this.tell();
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      const [, moving] = this.eigenvalueTraces();
      this.Plotly.update(this.eigenvalues, { y: [moving.y], text: [moving.text] }, this.rankMark(), [1]);
      PLOTS.forEach((own, i) => {
        const markers = this.curvesOf(own).map((curve) => this.markerOf(curve));
        if (!markers.length) return;
        const all = (name) => markers.map((marker) => marker[name]);
        this.Plotly.restyle(this.along.children[i], { x: all("x"), y: all("y"), text: all("text") }, markers.map((_, j) => 3 * j + 2));
      });
    });
  }

  playOrStop() {
    const playing = this.timer === undefined;
    this.play.setAttribute("aria-pressed", String(playing));
    this.play.textContent = playing ? "Stop" : "Play";
    clearInterval(this.timer);
    this.timer = playing ? setInterval(() => {
      const next = (this.row + 1) % this.point.epochs.length;
      this.slider.value = next;
      this.moveTo(next);
    }, STEP) : undefined;
  }

  tell() {
    const { epochs, along, size, seeds, eigenvalues, minimum_epoch } = this.point;
    const epoch = epochs[this.row];
    this.epoch.textContent = `${epoch} of ${epochs.at(-1)}`;
    this.slider.setAttribute("aria-valuetext", `epoch ${epoch}`);
    const numbers = along.map((curve) => `${NAMES[curve.quantity]} <b>${short(curve.mean[curve.rows[this.row]])}</b>`);
    this.readout.innerHTML = [`Epoch <b>${epoch}</b>`, ...numbers, `largest eigenvalue <b>${short(eigenvalues[this.row][0])}</b> of N = ${size}`, `${seeds} seed${seeds === 1 ? "" : "s"}`, `least test loss at epoch ${minimum_epoch}`].join(" · ");
  }

  eigenvalueTraces() {
    const { ranks, eigenvalues, epochs } = this.point;
    const text = (row) => ranks.map((rank, i) => `epoch ${epochs[row]}<br>rank ${rank}<br>eigenvalue <b>${short(eigenvalues[row][i])}</b>`);
    const first = { x: ranks, y: eigenvalues[0], type: "scatter", mode: "lines", line: { color: css("soft"), width: 1, dash: "dot" }, text: text(0), hovertemplate: "%{text}<extra></extra>", name: "first" };
    const now = { x: ranks, y: eigenvalues[this.row], type: "scatter", mode: "lines+markers", line: { color: css("accent"), width: 1.4 }, marker: { color: css("accent"), size: 6 }, text: text(this.row), hovertemplate: "%{text}<extra></extra>", name: "now" };
    return [first, now];
  }

  // The effective rank, as a line across the ranks.
  rankMark() {
    const curve = this.point.along.find(({ quantity }) => quantity === "effective_rank");
    const rank = curve.mean[curve.rows[this.row]];
    const color = css("disagrees");
    return {
      shapes: [{ type: "line", xref: "x", yref: "paper", x0: rank, x1: rank, y0: 0, y1: 1, line: { color, width: 1.6, dash: "dash" } }],
      annotations: [{ text: `Γ = ${short(rank)}`, xref: "x", x: Math.log10(rank), yref: "paper", y: 1, xanchor: "left", yanchor: "top", showarrow: false, font: { color, size: 14 } }],
    };
  }

  // The axes stay the same at all epochs, so that what moves are the eigenvalues.
  eigenvalueLayout() {
    const { ranks, eigenvalues } = this.point;
    const every = eigenvalues.flat().filter((value) => value > 1e-13);
    const x = axisLayout({ label: "Rank of the eigenvalue", scale: "log" }, ranks, 12);
    return { ...baseLayout(), xaxis: x, yaxis: axisLayout({ label: "Eigenvalue of the normalised NTK", scale: "log" }, every, 12), ...this.rankMark() };
  }

  markerOf(curve) {
    const row = curve.rows[this.row];
    return { x: [position(EPOCHS)(curve.epoch[row])], y: [curve.mean[row]], text: [this.textOf(curve, row)] };
  }

  textOf(curve, row) {
    return `epoch ${curve.epoch[row]}<br>${NAMES[curve.quantity]} <b>${short(curve.mean[row])}</b><br>± ${short(curve.error[row])} (standard error)`;
  }

  curveTraces(curve, number) {
    const x = curve.epoch.map(position(EPOCHS));
    const end = (sign) => curve.mean.map((mean, i) => (mean === null || curve.error[i] === null ? null : mean + sign * curve.error[i]));
    const text = curve.epoch.map((_, row) => this.textOf(curve, row));
    const hover = { text, hovertemplate: "%{text}<extra></extra>" };
    const colour = css("accent");
    return [
      { ...bandOutline(x, end(-1), end(1)), type: "scatter", mode: "lines", line: { width: 0 }, fill: "toself", fillcolor: rgba(colour, 0.18), hoverinfo: "skip" },
      { x, y: curve.mean, type: "scatter", mode: "lines", line: { color: colour, width: 1.6, dash: number ? "dash" : "solid" }, ...hover },
      { ...this.markerOf(curve), type: "scatter", mode: "markers", marker: { color: css("disagrees"), size: 11, line: { color: css("card"), width: 2 } }, hovertemplate: "%{text}<extra></extra>" },
    ];
  }

  curveLayout(label, curves) {
    const all = (name) => curves.flatMap((curve) => curve[name]);
    const layout = { ...baseLayout(), xaxis: axisLayout(EPOCHS, all("epoch"), 11), yaxis: axisLayout({ label, scale: "linear" }, all("mean"), 11) };
    layout.yaxis.nticks = 5;
    return layout;
  }
}
