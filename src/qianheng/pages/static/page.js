// Draws the charts from the options beside them, and shows the chosen day of a guarantee calendar.
"use strict";
(() => {
  const root = document.documentElement;
  const words = document.querySelector("main").dataset;
  const darkness = matchMedia("(prefers-color-scheme: dark)");
  const PRINTED = 680; // pixels, a page's width

  const number = (places, more) =>
    new Intl.NumberFormat(root.lang, { minimumFractionDigits: places, maximumFractionDigits: places, ...more });
  const [whole, fen, brief, ratio] = [
    number(0), number(2), number(0, { notation: "compact", maximumFractionDigits: 1 }), number(2)];
  const short = new Intl.NumberFormat(root.lang, { maximumSignificantDigits: 3 });
  const known = (show) => (value) => {
    const last = Array.isArray(value) ? value[value.length - 1] : value;
    return last === null || last === undefined || last === "-" ? "–" : show(last);
  };
  const formatters = {
    yuan: known((value) => `¥${fen.format(value)}`),
    yuan_short: known((value) => `¥${(Math.abs(value) < 1e4 ? whole : brief).format(value)}`),
    roi: known((value) => ratio.format(value)),
    decimal: known((value) => short.format(value)),
    percent: known((value) => `${number(1).format(100 * value)}%`),
    age: known((hours) => hours < 24 ? words.hours.replace("{}", hours) : words.days.replace("{}", hours / 24)),
    nothing: () => "",
  };

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const named = { color: colour, formatter: (name) => formatters[name], valueFormatter: (name) => formatters[name] };

  // The option with every "@name" of a colour or a formatter put in its place.
  function resolve(value, key) {
    if (Array.isArray(value)) return value.map((item) => resolve(item));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, resolve(held, name)]));
    }
    return key in named && typeof value === "string" && value.startsWith("@") ? named[key](value.slice(1)) : value;
  }

  function theme() {
    const [ink, muted, line, surface] = ["ink", "muted", "line", "surface"].map(colour);
    const axis = {
      axisLine: { lineStyle: { color: line } }, axisTick: { lineStyle: { color: line } },
      axisLabel: { color: muted }, nameTextStyle: { color: muted }, splitLine: { lineStyle: { color: line } },
    };
    const flat = { ...axis, splitLine: { show: false } };
    return {
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      legend: { textStyle: { color: ink }, pageTextStyle: { color: muted } },
      tooltip: { backgroundColor: surface, borderColor: line, textStyle: { color: ink } },
      dataZoom: { borderColor: line, dataBackground: { lineStyle: { color: muted }, areaStyle: { color: line } } },
      categoryAxis: flat, valueAxis: axis, logAxis: flat, timeAxis: flat,
    };
  }

  let drawn = [];
  function draw() {
    drawn.forEach((chart) => chart.dispose());
    drawn = Array.from(document.querySelectorAll(".chart"), (panel) => {
      const chart = echarts.init(panel.querySelector(".canvas"), theme(), { renderer: "svg" });
      chart.setOption(resolve(JSON.parse(panel.querySelector("script").textContent)));
      if (panel.dataset.group) chart.group = panel.dataset.group;
      return chart;
    });
    new Set(drawn.map((chart) => chart.group).filter(Boolean)).forEach((group) => echarts.connect(group));
  }
  function fit(size) {
    drawn.forEach((chart) => {
      chart.resize(size);
      chart.getZr().refreshImmediately(); // a printer does not wait for the next frame
    });
  }

  // Paper is white and narrow, whatever the screen is.
  function print(begins) {
    root.classList.toggle("printing", begins);
    draw();
    if (begins) fit({ width: PRINTED, height: 240 });
  }

  // A pointer over a day shows it for a moment; a day chosen stays.
  function show(day) {
    const shown = day.getAttribute("aria-controls");
    day.closest(".guarantee").querySelectorAll(".details").forEach((details) => {
      details.hidden = details.id !== shown;
    });
  }
  function choose(day) {
    day.closest(".guarantee").querySelectorAll(".day").forEach((other) => {
      other.setAttribute("aria-pressed", other === day);
    });
    show(day);
  }

  draw();
  darkness.addEventListener("change", draw);
  addEventListener("resize", () => fit());
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  document.querySelectorAll(".guarantee").forEach((panel) => {
    panel.querySelectorAll(".day").forEach((day) => {
      day.addEventListener("click", () => choose(day));
      day.addEventListener("focus", () => choose(day));
      day.addEventListener("mouseenter", () => show(day));
      day.addEventListener("mouseleave", () => show(panel.querySelector(".day[aria-pressed=true]")));
    });
  });
})();
