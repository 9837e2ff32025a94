// One figure: its panels, its legend, its tables and its downloads.

const COLUMNS = ["panel", "series", "epoch", "x", "y", "low", "high"];

function rowsOf(content, panel) {
  return panel.series.flatMap((series) =>
    series.x.map((x, i) => [panel.title, series.full_name ?? series.label, series.epoch?.[i] ?? "", x ?? "", series.y[i] ?? "", series.low?.[i] ?? "", series.high?.[i] ?? ""]),
  );
}

function asCsv(content) {
  const cell = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const rows = [COLUMNS, ...content.panels.flatMap((panel) => rowsOf(content, panel))];
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// The dash and the marker of a line, as the legend shows them: colours alone do not tell lines apart for everyone.
const SHAPES = {
  circle: '<circle cx="13" cy="6" r="3.4"/>', square: '<rect x="9.8" y="2.8" width="6.4" height="6.4"/>', diamond: '<path d="M13 1.6 17.4 6 13 10.4 8.6 6Z"/>',
  "triangle-up": '<path d="M13 2 17 9.4H9Z"/>', "triangle-down": '<path d="M13 10 17 2.6H9Z"/>', cross: '<path d="M11.6 2h2.8v2.6H17v2.8h-2.6V10h-2.8V7.4H9V4.6h2.6Z"/>',
};
function swatch(line) {
  const colour = lineColour(line);
  const dash = { dash: "5 3", dot: "1.5 2.5" }[line.dash] ?? "none";
  const stroke = line.dash ? `<path d="M0 6H26" fill="none" stroke-width="2.4" stroke-dasharray="${dash}"/>` : "";
  const shape = line.marker ? `<g fill="${line.empty ? css("card") : colour}" stroke-width="1.5">${SHAPES[line.marker]}</g>` : "";
  return `<svg width="26" height="12" viewBox="0 0 26 12" stroke="${colour}" aria-hidden="true">${stroke}${shape}</svg>`;
}

class FigureView {
  constructor(section) {
    this.section = section;
    this.hidden = new Set();
    this.plots = [];
    section.querySelectorAll("[data-view]").forEach((button) => button.addEventListener("click", () => this.show(button.dataset.view)));
    section.querySelectorAll("[data-save]").forEach((button) => button.addEventListener("click", () => this.save(button.dataset.save)));
    section.querySelector(".numbers").addEventListener("toggle", () => this.listNumbers(), { once: true });
    this.show("interactive");
  }

  async content() {
    this.bytes ??= unpack(this.section.querySelector(".data"));
    return JSON.parse(asText(await this.bytes));
  }

  show(view) {
    const interactive = view === "interactive";
    this.section.querySelector(".interactive").hidden = !interactive;
    this.section.querySelector(".static").hidden = interactive;
    for (const button of this.section.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    if (interactive) this.plots.forEach(({ plot }) => window.Plotly.Plots.resize(plot));
  }

  async save(format) {
    const name = this.section.dataset.file;
    const content = await this.content();
    if (format === "json") save(await this.bytes, `${name}.json`, "application/json");
    else save(asCsv(content), `${name}.csv`, "text/csv");
  }

  draw() {
    this.drawn ??= this.drawOnce();
    return this.drawn;
  }

  async drawOnce() {
    const [Plotly, content, drawing] = await Promise.all([loadPlotly(), this.content(), unpackJson(this.section.querySelector(".drawing"))]);
    this.drawing = drawing;
    const panels = this.section.querySelector(".panels");
    panels.style.setProperty("--columns", Math.max(...drawing.panels.map(({ place }) => place[1])) + 1);
    for (const [i, panel] of drawing.panels.entries()) {
      const plot = element("div", { className: "plot" });
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", panel.alternative);
      const notes = element("ul", { className: "notes" }, ...panel.notes.map((note) => element("li", { innerHTML: note })));
      const made = element("figure", { className: "panel" }, element("figcaption", { innerHTML: panel.title }), plot, notes);
      made.style.setProperty("--row", panel.place[0] + 1);
      made.style.setProperty("--column", panel.place[1] + 1);
      panels.append(made);
      this.plots.push({ plot, panel, content: content.panels[i] });
    }
    this.listGroups();
    for (const own of this.plots) {
      await Plotly.newPlot(own.plot, tracesOf(own.content, own.panel, this.hidden), layoutOf(own.content, own.panel), PLOT_CONFIG);
      renewTicksAfterZoom(own.plot);
    }
    this.section.dataset.drawn = "true";
  }

  // After a change of the colour scheme or of what is hidden.
  redraw() {
    for (const { plot, panel, content } of this.plots) {
      window.Plotly.react(plot, tracesOf(content, panel, this.hidden), layoutOf(content, panel), PLOT_CONFIG).then(renewTicks);
    }
    this.listGroups();
  }

  listGroups() {
    const legend = this.section.querySelector(".legend");
    const focused = [...legend.children].indexOf(document.activeElement);
    const lines = this.drawing.panels.flatMap((panel) => panel.series);
    const groups = this.drawing.groups.map((name, group) => ({ name, group, line: lines.find((line) => line.group === group && line.shown) }));
    const buttons = groups.filter(({ line }) => line).map(({ name, group, line }) => {
      const button = element("button", { type: "button", innerHTML: `${swatch(line)}<span>${name}</span>` });
      button.setAttribute("aria-pressed", String(!this.hidden.has(group)));
      button.addEventListener("click", () => this.toggle([group], !this.hidden.has(group)));
      return button;
    });
    const all = element("button", { type: "button", className: "all", textContent: this.hidden.size ? "Show all" : "Hide all" });
    all.addEventListener("click", () => this.toggle(groups.map(({ group }) => group), !this.hidden.size));
    legend.replaceChildren(...buttons, ...(buttons.length > 2 ? [all] : []));
    legend.children[focused]?.focus();
  }

  toggle(groups, hide) {
    for (const group of groups) this.hidden[hide ? "add" : "delete"](group);
    this.redraw();
  }

  async listNumbers() {
    await this.draw();
    const content = await this.content();
    const parts = content.panels.map((panel, i) => {
      const place = element("div", { className: "table" });
      const part = element("details", {}, element("summary", { innerHTML: this.drawing.panels[i].title }), place);
      part.addEventListener("toggle", () => {
        const head = element("tr", {}, ...COLUMNS.slice(1).map((name) => element("th", { scope: "col", textContent: name })));
        const names = panel.series.map((series, j) => this.drawing.panels[i].series[j].name);
        let row = -1;
        const body = panel.series.flatMap((series, j) => rowsOf(content, { ...panel, series: [series] }).map(([, , ...numbers]) => {
          row += 1;
          const cells = [element("td", { innerHTML: names[j] }), ...numbers.map((number) => element("td", { innerHTML: number === "" ? "" : short(number) }))];
          return element("tr", {}, ...cells);
        }));
        place.append(element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
      }, { once: true });
      return part;
    });
    this.section.querySelector(".numbers > div").append(...parts);
  }
}
