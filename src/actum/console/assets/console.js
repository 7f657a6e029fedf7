// The console's own script. Every page works without it: it draws charts, keeps the feed short, and listens to keys.
"use strict";
(() => {
  const root = document.body.dataset.root;
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Charts. A colour of ours may be a pair for light and dark: a probe resolves it.
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const faded = (name, share) => {
    probe.style.color = `color-mix(in srgb, var(${name}) ${share}%, var(--paper))`;
    return getComputedStyle(probe).color;
  };
  const drawn = new Map();

  function series(chart, each, index) {
    const stroke = colour(`--c${index % 6}`);
    if (chart.kind === "bars") {
      return { label: each.name, stroke, width: 0, fill: faded(`--c${index % 6}`, 70), points: { show: false }, paths: uPlot.paths.bars({ size: [0.82, 40], align: 1 }) };
    }
    if (chart.kind === "steps") {
      return { label: each.name, stroke, width: 1.75, paths: uPlot.paths.stepped({ align: 1 }), points: { show: true, size: 7, fill: stroke } };
    }
    return { label: each.name, stroke, width: 1.75, spanGaps: true, points: { show: false }, scale: index ? "rate" : "y" };
  }

  function axes(chart) {
    const plain = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: `12px ${css("--sans")}` };
    const notation = (size) => (size >= 1e15 ? "scientific" : size >= 10000 ? "compact" : "standard");
    const short = (plot, values) => values.map((value) => (value == null ? "" : new Intl.NumberFormat(document.documentElement.lang, { notation: notation(Math.abs(value)) }).format(value)));
    const left = { ...plain, size: 58, values: short };
    const right = { ...left, side: 1, scale: "rate", grid: { show: false } };
    const bottom = { ...plain, space: 96, values: (plot, splits) => when(splits, chart.x.at(-1) - chart.x[0]) };
    return chart.kind === "lines" ? [bottom, left, right] : [bottom, left];
  }

  // The times below a chart, in UTC, as precise as they are apart; the day where it changes.
  function when(splits, span) {
    const pick = (options) => new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: "UTC", hourCycle: "h23", ...options });
    const day = pick({ day: "numeric", month: "short" });
    const time = span > 3 * 86400 ? null : pick({ hour: "2-digit", minute: "2-digit", ...(span > 300 ? {} : { second: "2-digit" }), ...(span > 12 ? {} : { fractionalSecondDigits: 1 }) });
    let before = "";
    return splits.map((seconds) => {
      const date = new Date(seconds * 1000), said = day.format(date), changed = said !== before;
      before = said;
      return time ? time.format(date) + (changed ? `\n${said}` : "") : said;
    });
  }

  function draw(place) {
    const chart = JSON.parse(place.dataset.chart);
    drawn.get(place)?.destroy();
    if (!chart.x.length) return;
    // Bars stand on each other: drawn from the tallest pile down, each in its own colour.
    const piled = chart.series.map((each, index) => ({ ...each, index, values: chart.kind === "bars" ? each.values.map((_, at) => chart.series.slice(0, index + 1).reduce((sum, one) => sum + one.values[at], 0)) : each.values }));
    if (chart.kind === "bars") piled.reverse();
    const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");
    const last = chart.x.at(-1) + (chart.kind === "bars" ? chart.x[1] - chart.x[0] : 0);
    const plot = new uPlot({
      width: Math.max(place.clientWidth, 240), height: chart.kind === "steps" ? 200 : 132, tzDate: utc,
      scales: { x: { range: (u, from, to) => [from, Math.max(to, last)] }, y: { range: (u, low, high) => chart.kind === "steps" ? uPlot.rangeNum(low, high, 0.1, true) : [0, Math.max(high, 1) * 1.08] }, rate: { range: (u, low, high) => [0, Math.max(high, 1) * 1.08] } },
      legend: { show: chart.series.length > 1, live: false }, cursor: { drag: { x: false, y: false }, points: { show: chart.kind !== "bars" } },
      axes: axes(chart), series: [{}, ...piled.map((each) => series(chart, each, each.index))],
    }, [chart.x, ...piled.map((each) => each.values)], place);
    drawn.set(place, plot);
    if (chart.hrefs.length) {
      plot.over.style.cursor = "pointer";
      plot.over.addEventListener("click", () => {
        let at = plot.posToIdx(plot.cursor.left);
        if (chart.kind === "bars" && chart.x[at] > plot.posToVal(plot.cursor.left, "x")) at -= 1;
        if (chart.hrefs[at]) location.assign(chart.hrefs[at]);
      });
    }
  }

  const charts = () => all("[data-chart]").forEach(draw);
  if (window.uPlot) {
    charts();
    let waiting;
    addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(charts, 150); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", charts);
  }

  // The feed: never more than 500 rows, said aloud only now and then, and still while somebody reads.
  const feed = one("[data-live]");
  if (feed) {
    const rows = one("#rows"), news = one("#news"), pause = one("[data-pause]");
    let fresh = 0, still = false;
    const say = () => {
      if (fresh) news.textContent = fresh === 1 ? feed.dataset.one : feed.dataset.many.replace("{n}", fresh);
    };
    setInterval(() => { if (!still) { say(); fresh = 0; } }, 8000);
    feed.addEventListener("htmx:sse:before:message", (event) => {
      fresh += (event.detail.message.data.match(/<tr/g) || []).length;
      if (still) { event.preventDefault(); say(); }
    });
    document.addEventListener("htmx:after:swap", () => {
      all("#rows > tr:nth-child(n+501)").forEach((row) => row.remove());
    });
    pause.addEventListener("click", () => {
      if (still) { location.reload(); return; }
      still = true;
      pause.setAttribute("aria-pressed", "true");
      pause.textContent = pause.dataset.pauseOff;
    });
  }

  // The scrubber.
  const scrub = one("[data-scrub]");
  if (scrub) {
    const places = scrub.dataset.scrub.split(",");
    scrub.addEventListener("change", () => location.assign(`${scrub.dataset.link}?at=${places[scrub.value]}`));
  }
  const life = one(".life"), chosen = one(".life [aria-current]");
  if (chosen) life.scrollTop = chosen.offsetTop - (life.clientHeight - chosen.clientHeight) / 2;

  // Keys.
  const keys = one("#keys"), off = one("[data-keys-off]");
  off.checked = localStorage.getItem("actum-keys") === "off";
  off.addEventListener("change", () => localStorage.setItem("actum-keys", off.checked ? "off" : "on"));
  one("[data-help]").addEventListener("click", () => keys.showModal());
  let going = false;
  const step = (by) => {
    const links = all("main [data-row]");
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + by, 0), links.length - 1)].focus();
  };
  document.addEventListener("keydown", (event) => {
    if (off.checked || event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
    const key = event.key;
    if (going) {
      going = false;
      one(`[data-go="${CSS.escape(key)}"]`)?.click();
      return;
    }
    if (key === "?") keys.showModal();
    else if (key === "g") going = true;
    else if (key === "j") step(1);
    else if (key === "k") step(-1);
    else {
      const wanted = key.length === 1 && one(`[data-key="${CSS.escape(key)}"]`);
      if (!wanted) return;
      if (wanted.matches("input")) wanted.focus();
      else wanted.click();
    }
    event.preventDefault();
  });
})();
