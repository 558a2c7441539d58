// One chart that is updated in place: zoom, selection and the DOM node outlive every new figure.
const MARK = "gnnvizPlotly";

function loadPlotly(url) {
  // One download for all charts and pages of a browser tab.
  window[MARK] ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      delete window[MARK];
      reject(new Error("The chart library did not load; reload the page."));
    };
    document.head.append(script);
  });
  return window[MARK];
}

function nodesOf(event) {
  return (event?.points ?? [])
    .map((point) => (typeof point.customdata === "object" ? point.customdata?.[0] : point.customdata))
    .filter((node) => node !== undefined && node !== null);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const chart = parentElement.querySelector(".gnnviz-chart");
  const figure = JSON.parse(data.figure);
  chart.style.height = `${figure.layout.height}px`;
  chart.style.opacity = data.stale ? 0.45 : 1;
  chart.setAttribute("aria-label", figure.layout.meta?.alt ?? "chart");
  chart.dataset.key = data.name;
  loadPlotly(data.url)
    .then((Plotly) => Plotly.react(chart, figure.data, figure.layout, data.config))
    .then(() => {
      if (chart.dataset.listening) return;
      chart.dataset.listening = "yes";
      chart.on("plotly_click", (event) => setTriggerValue("click", nodesOf(event)));
      chart.on("plotly_selected", (event) => {
        if (event) setTriggerValue("chosen", nodesOf(event));
      });
    })
    .catch((error) => {
      chart.textContent = error.message;
    });
  return () => {
    if (window.Plotly && !chart.isConnected) window.Plotly.purge(chart);
  };
}
