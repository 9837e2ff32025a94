// What the page holds: base64 of gzip in <script> elements that no browser runs.

async function unpack(element) {
  const text = atob(element.textContent.trim());
  const bytes = Uint8Array.from(text, (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const asText = (bytes) => new TextDecoder().decode(bytes);

const unpackJson = async (element) => JSON.parse(asText(await unpack(element)));

// Plotly runs as an ordinary script, once.
let plotlyReady;
function loadPlotly() {
  plotlyReady ??= unpack(document.getElementById("plotly")).then((bytes) => {
    const script = document.createElement("script");
    script.textContent = asText(bytes);
    document.head.append(script);
    return window.Plotly;
  });
  return plotlyReady;
}

function save(bytes, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
