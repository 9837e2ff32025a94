// Draws each part shortly before it comes into view, and again when the colour scheme changes.

function start() {
  if (!("DecompressionStream" in window && "toSorted" in Array.prototype)) {
    document.getElementById("too-old").hidden = false;
    return;
  }
  const views = new Map([...document.querySelectorAll("section.figure")].map((section) => [section, new FigureView(section)]));
  const spectra = document.getElementById("spectra");
  views.set(spectra, new SpectrumView(spectra));
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        watcher.unobserve(target);
        views.get(target).draw();
      }
    }
  }, { rootMargin: "800px" });
  for (const section of views.keys()) watcher.observe(section);
  darkScheme.addEventListener("change", () => {
    for (const [section, view] of views) if (section.dataset.drawn) view.redraw();
  });
  // A link to the origins of a curve opens them.
  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", openTarget);
  openTarget();
}

start();
