// Plotly's traces and layout for one panel.

const darkScheme = matchMedia("(prefers-color-scheme: dark)");
const touchScreen = matchMedia("(pointer: coarse)").matches;
const MARKERS = { circle: "circle", square: "square", "triangle-up": "triangle-up", diamond: "diamond", "triangle-down": "triangle-down", cross: "cross" };

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const lineColour = (line) => (darkScheme.matches ? line.dark : line.colour);
const rgba = (hex, alpha) => `rgba(${[1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).join(",")},${alpha})`;

// Four significant digits, for people; downloads have all of them.
function short(value) {
  if (value === null || value === undefined) return "…";
  if (value === 0) return "0";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value).replace("-", "−"); // a scale, an epoch
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-3 ? value.toExponential(2).replace(/e\+?(-?)(\d+)/, "·10<sup>$1$2</sup>") : String(Number(value.toPrecision(4)));
  return text.replaceAll("-", "−");
}

// Matplotlib's symlog: linear up to `linear_to`, then logarithmic; positions in decades.
function position(axis) {
  if (axis.scale !== "symlog") return (value) => value;
  const { linear_to: end, linear_length: length } = axis;
  return (value) => (value === null ? null : value <= end ? (length * value) / end : length + Math.log10(value / end));
}

// Ticks of a logarithmic axis, in plain numbers; more of them to a decade where it spans few. `range` is in decades.
function logTicks(range) {
  const [low, high] = range.toSorted((one, other) => one - other);
  const digits = high - low < 0.7 ? [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9] : high - low < 2.2 ? [1, 2, 5] : [1];
  const every = Math.ceil((high - low) / 7);
  const tickvals = [];
  for (let power = Math.floor(low); power <= high; power += 1) {
    if (digits.length > 1 || power % every === 0) tickvals.push(...digits.map((digit) => Number(`${digit}e${power}`)));
  }
  const shown = tickvals.filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
  return { tickvals: shown, ticktext: shown.map(tickText) };
}

function tickText(value) {
  if (value >= 1e-3 && value < 1e4) return String(value);
  const power = Math.floor(Math.log10(value) + 1e-9);
  const digit = Number((value / 10 ** power).toPrecision(2));
  const power10 = `10<sup>${String(power).replace("-", "−")}</sup>`;
  return digit === 1 ? power10 : `${digit}×${power10}`;
}

// Logarithmic axes get the ticks of their present range.
function renewTicks(plot) {
  const update = {};
  for (const name of ["xaxis", "yaxis", "yaxis2"]) {
    const axis = plot.layout[name];
    if (axis?.type !== "log") continue;
    const { tickvals, ticktext } = logTicks(axis.range);
    Object.assign(update, { [`${name}.tickvals`]: tickvals, [`${name}.ticktext`]: ticktext });
  }
  if (Object.keys(update).length) window.Plotly.relayout(plot, update);
}

function renewTicksAfterZoom(plot) {
  plot.on("plotly_relayout", (changes) => {
    if (Object.keys(changes).some((key) => key.includes("axis") && !key.includes("tick"))) renewTicks(plot);
  });
}

function axisLayout(axis, values, size) {
  const own = {
    title: { text: axis.label, font: { size }, standoff: 8 },
    gridcolor: css("grid"), zerolinecolor: css("grid"), linecolor: css("soft"), tickcolor: css("soft"),
    ticks: "outside", ticklen: 4, automargin: true, exponentformat: "power", minexponent: 5,
  };
  const positive = values.filter((value) => value > 0);
  if (axis.scale === "log") {
    const ends = [Math.log10(Math.min(...positive)), Math.log10(Math.max(...positive))];
    const free = 0.05 * (ends[1] - ends[0]) || 0.1;
    const range = [ends[0] - free, ends[1] + free];
    Object.assign(own, { type: "log", tickmode: "array", range: axis.reversed ? range.toReversed() : range, ...logTicks(range) });
  }
  if (axis.scale === "symlog") {
    const last = Math.max(...positive, axis.linear_to);
    const ticks = [0];
    for (let tick = axis.linear_to; tick <= last; tick *= 10) ticks.push(tick);
    if (last > 3 * ticks.at(-1)) ticks.push(last);
    Object.assign(own, { tickvals: ticks.map(position(axis)), ticktext: ticks.map(String), tickangle: 0, zeroline: false });
  }
  if (axis.reversed && axis.scale !== "log") own.autorange = "reversed";
  return own;
}

function markerOf(line, colour) {
  const symbol = MARKERS[line.marker] + (line.empty ? "-open" : "");
  return { symbol, size: 8, color: colour, line: { color: colour, width: line.empty ? 1.6 : 0 } };
}

function lineOf(line, colour, width) {
  return line.dash ? { color: colour, dash: line.dash, width } : { color: colour, width };
}

const modeOf = (line) => [line.dash && "lines", line.marker && "markers"].filter(Boolean).join("+") || "lines";

// The band as one outline for each stretch where both ends are known.
function bandOutline(x, low, high) {
  const outline = { x: [], y: [] };
  let run = [];
  const close = () => {
    if (run.length > 1) {
      outline.x.push(...run.map((i) => x[i]), ...run.toReversed().map((i) => x[i]), null);
      outline.y.push(...run.map((i) => high[i]), ...run.toReversed().map((i) => low[i]), null);
    }
    run = [];
  };
  x.forEach((value, i) => {
    if (value !== null && low[i] !== null && high[i] !== null) run.push(i);
    else close();
  });
  close();
  return outline;
}

// What a logarithmic axis cannot show ends at half of the least number that it shows.
function onAxis(values, axis, floor) {
  return axis.scale === "log" ? values.map((value) => (value !== null && value <= 0 ? floor : value)) : values;
}

function hoverTexts(series, drawn, panel, axis) {
  return series.x.map((x, i) => {
    const lines = [`<b>${drawn.name}</b>`];
    if (series.epoch) lines.push(`epoch ${short(series.epoch[i])}`);
    lines.push(`${panel.x.label}: ${short(x)}`, `${axis.label}: <b>${short(series.y[i])}</b>`);
    if (series.low && (series.low[i] !== null || series.high[i] !== null)) {
      lines.push(`[${short(series.low[i])}, ${short(series.high[i])}] (${drawn.band})`);
    }
    const seeds = Array.isArray(drawn.seeds) ? drawn.seeds[i] : drawn.seeds;
    if (seeds) lines.push(seeds);
    return lines.join("<br>");
  });
}

const yAxis = (line) => (line.axis ? "y2" : "y");

function tracesOf(content, panel, hidden) {
  const place = position(panel.x);
  const positive = content.series.flatMap((series) => series.y).filter((value) => value > 0);
  const floor = Math.min(...positive) / 2;
  const bands = [], lines = [];
  for (const drawn of panel.series) {
    const series = content.series[drawn.index];
    const axis = panel.y[drawn.axis];
    const colour = lineColour(drawn);
    const x = series.x.map(place);
    const visible = drawn.shown && !hidden.has(drawn.group);
    if (series.low && series.high) {
      const outline = bandOutline(x, onAxis(series.low, axis, floor), onAxis(series.high, axis, floor));
      bands.push({
        ...outline, type: "scatter", mode: "lines", line: { width: 0 }, fill: "toself", fillcolor: rgba(colour, 0.18),
        hoverinfo: "skip", yaxis: yAxis(drawn), visible, meta: { group: drawn.group, band: true },
      });
    }
    lines.push({
      x, y: series.y, type: "scatter", mode: modeOf(drawn), line: lineOf(drawn, colour, 1.8), ...(drawn.marker && { marker: markerOf(drawn, colour) }),
      text: hoverTexts(series, drawn, panel, axis), hovertemplate: "%{text}<extra></extra>", yaxis: yAxis(drawn),
      visible, meta: { group: drawn.group, series: drawn.index, shown: drawn.shown },
    });
  }
  const ends = content.series.flatMap((series) => series.x).filter((value) => value !== null);
  const laws = panel.laws.map((law) => {
    const x = law.x ?? [Math.min(...ends), Math.max(...ends)];
    const y = law.x ? law.y : [law.y[0], law.y[0]];
    return {
      x: x.map(place), y, type: "scatter", mode: "lines", line: lineOf(law, lineColour(law), 1.2), hoverinfo: "skip",
      yaxis: yAxis(law), visible: !hidden.has(law.group), meta: { group: law.group, law: true },
    };
  });
  return [...bands, ...laws, ...lines];
}

function baseLayout() {
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: "system-ui, sans-serif", size: 12, color: css("text") },
    margin: { l: 8, r: 8, t: 8, b: 8 }, showlegend: false, hovermode: "closest", dragmode: touchScreen ? false : "zoom",
    hoverlabel: { bgcolor: css("card"), bordercolor: css("soft"), font: { color: css("text"), size: 12 }, align: "left" },
  };
}

// All that a series shows along y: its band may reach far below its values, but not further than a tenth of them.
function everyY(series) {
  const least = Math.min(...series.y.filter((value) => value > 0)) / 10;
  return [...series.y, ...(series.low ?? []).map((value) => (value > least ? value : null)), ...(series.high ?? [])];
}

function layoutOf(content, panel) {
  // With one revision, a zoom outlasts changes of what is shown.
  const layout = { ...baseLayout(), uirevision: "one", xaxis: axisLayout(panel.x, content.series.flatMap((series) => series.x), 12) };
  panel.y.forEach((axis, i) => {
    const own = panel.series.filter((drawn) => drawn.axis === i);
    const values = own.flatMap(({ index, shown }) => (shown ? everyY(content.series[index]) : []));
    values.push(...panel.laws.filter((law) => law.axis === i).flatMap((law) => law.y));
    layout[i ? "yaxis2" : "yaxis"] = axisLayout(axis, values, 12);
    if (panel.y.length > 1) {
      const colour = lineColour(own[0]);
      Object.assign(layout[i ? "yaxis2" : "yaxis"], { tickfont: { color: colour } });
      layout[i ? "yaxis2" : "yaxis"].title.font.color = colour;
    }
    if (i) Object.assign(layout.yaxis2, { overlaying: "y", side: "right", showgrid: false });
  });
  // What the static figure hatches belongs to the right axis.
  const colours = panel.y.map((_, i) => lineColour(panel.series.find((drawn) => drawn.axis === i)));
  layout.shapes = panel.spans.map(([from, to, hatched]) => ({
    type: "rect", xref: "x", yref: "paper", x0: from, x1: to, y0: 0, y1: 1, line: { width: 0 }, fillcolor: rgba(colours[Number(hatched)] ?? colours[0], 0.13), layer: "below",
  }));
  return layout;
}

const PLOT_CONFIG = { displayModeBar: false, responsive: true, displaylogo: false };
