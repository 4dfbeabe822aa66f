// The report's own script: it draws the charts and opens the quotes behind a number. Customers' words reach the
// page only as text that the template has escaped, and are moved here as nodes, never as markup.
(() => {
  "use strict";

  const noNetwork = { load: () => Promise.reject(new Error("nothing is fetched")),
                      sanitize: () => Promise.reject(new Error("nothing is fetched")) };
  const options = { mode: "vega-lite", actions: false, ast: true, renderer: "svg", logLevel: 1, loader: noNetwork };
  const drawn = [...document.querySelectorAll("figure.chart")].map((figure) => {
    const plot = figure.querySelector(".plot");
    const spec = JSON.parse(figure.querySelector("script.spec").textContent);
    return window.vegaEmbed(plot, spec, options).catch((error) => {
      plot.textContent = "This chart could not be drawn; its numbers are in the table below.";
      console.error(error);
    });
  });
  Promise.all(drawn).then(() => { document.body.dataset.drawn = drawn.length; });

  const evidence = JSON.parse(document.getElementById("evidence").textContent);
  const quotes = document.getElementById("quotes").content;
  const dialog = document.getElementById("opened");
  const part = (name) => dialog.querySelector(`[data-part="${name}"]`);
  const idOf = (index) => evidence.ids[index];

  function idsOf(item) {
    let last = 0;
    return evidence.sets[item.set].map((step) => idOf((last += step)));
  }

  function open(key, label) {
    const item = evidence.items[key];
    if (!item) return;
    const ids = idsOf(item);
    part("number").textContent = label;
    part("claim").textContent = item.claim;
    part("method").textContent = item.method || "";
    part("count").textContent = ids.length === 1 ? "1 verbatim stands behind this number."
      : `${ids.length.toLocaleString("en")} verbatims stand behind this number.`;
    const shown = item.quotes.map((index) => quotes.querySelector(`[data-quote="${idOf(index)}"]`)).filter(Boolean);
    part("quotes").replaceChildren(...shown.map((quote) => quote.cloneNode(true)));
    part("ids").textContent = ids.join("\n");
    part("all").hidden = !ids.length;
    part("all").open = false;
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  document.addEventListener("click", (event) => {
    const number = event.target.closest("button[data-finding], button[data-evidence]");
    if (number) open(number.dataset.finding || number.dataset.evidence, number.textContent);
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
})();
