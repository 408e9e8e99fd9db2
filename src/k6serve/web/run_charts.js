// The charts of a run, which share one part of the time.
"use strict";

const embedded = byId("report");
const api = "/api/v1/runs/" +
    encodeURIComponent(location.pathname.split("/").filter(Boolean)[1] || "");
let report = null;

// Sections, in their order on the page: a card that is hidden without data.
const sections = {};

function section(id, title, hint) {
	const tools = el("span", { class: "section-tools" });
	const text = el("p", { class: "soft small" }, hint || "");
	const card = el("section", { class: "card", id, "aria-labelledby":
	    id + "-title" }, el("header", {}, el("h2", { id: id + "-title" },
	    title), text, tools));
	sections[id] = { card, title, tools, text };
	card.hidden = true;
	byId("sections").append(card);
	return card;
}

function showSection(id, isThere, n) {
	sections[id].card.hidden = !isThere;
	sections[id].n = n;
}

function showToc() {
	const wanted = Object.entries(sections).filter(
	    ([, s]) => !s.card.hidden).map(([id, s]) => [id, s.title +
	    (s.n === undefined ? "" : " " + count(s.n))]);
	const text = JSON.stringify(wanted);
	if (byId("toc").dataset.text === text)
		return;
	byId("toc").dataset.text = text;
	byId("toc").replaceChildren(...wanted.map(([id, title]) => el("a",
	    { href: "#" + id }, title)));
}

function plot(card, options) {
	const chart = new Chart(options);
	card.append(chart.element);
	return chart;
}

const overview = section("overview", "Overview",
    "");
const charts = {
	rate: plot(overview, { title: "Requests per second", group: "time",
	    fill: true, noTimes: true }),
	failed: plot(overview, { title: "Failed requests, %", group: "time",
	    size: "low", noTimes: true }),
	p95: plot(overview, { title: "Response time, ms", group: "time",
	    size: "low", noTimes: true }),
	vus: plot(overview, { title: "Virtual users", group: "time",
	    size: "low", fill: true, step: true }),
};
const times = section("times", "Response times");
const timesGrid = el("div", { class: "grid" });
times.append(timesGrid);
charts.percentiles = plot(timesGrid, { title: "Percentiles, ms",
    group: "time", size: "tall" });
charts.timings = plot(timesGrid, { title: "Where the time goes, ms (mean)",
    group: "time", size: "tall", stacked: true });
charts.status = plot(timesGrid, { title: "Status codes per second",
    group: "time", size: "tall", stacked: true });
charts.distribution = plot(timesGrid, { title: "Distribution, requests",
    size: "tall", at: x => (x > -3 ? shortMs(10 ** x) : "0") + " to " + shortMs(10 ** (x + 1 / 12)),
    graph: { plotter: plotBars, axes: {
	y: { axisLabelWidth: 46, pixelsPerLabel: 34,
	    axisLabelFormatter: axisNumber },
	x: { axisLabelFormatter: x => shortMs(10 ** x), pixelsPerLabel: 70,
	    axisLabelWidth: 60,
	    ticker: (a, b) => decades(a, b) } } } });
charts.load = plot(timesGrid, { title: "Response time against load, ms (p95)",
    size: "tall", at: x => number(x) + " requests/s",
    graph: { strokeWidth: 0, drawPoints: true, pointSize: 3, axes: {
	y: { axisLabelWidth: 46, pixelsPerLabel: 34,
	    axisLabelFormatter: axisNumber },
	x: { axisLabelFormatter: x => number(x) + "/s", pixelsPerLabel: 70,
	    axisLabelWidth: 60 } } } });

function shortMs(ms) {
	return ms >= 1000 ? number(ms / 1000) + " s" : ms >= 1 ?
	    number(ms) + " ms" : number(ms * 1000) + " µs";
}

function decades(from, to) {
	const ticks = [];
	for (let i = Math.floor(from); i <= Math.ceil(to); i++) {
		ticks.push({ v: i, label: shortMs(10 ** i) });
		if (to - from < 3)
			ticks.push({ v: i + Math.log10(3),
			    label: shortMs(3 * 10 ** i) });
	}
	return ticks;
}

function at(s) {
	return new Date(s.t * 1000);
}

function trendRows(series, step, keys, of) {
	return filled(series, step).map(s => [at(s), ...keys.map(k =>
	    known((of(s) || {})[k]))]);
}

const PERCENTILES = [{ label: "p50", color: "--c3" }, { label: "p90",
    color: "--c1" }, { label: "p95", color: "--c2" }, { label: "p99",
    color: "--c4" }];

const PHASES = { blocked: "--c6", connecting: "--c5", tls_handshaking: "--c4",
    sending: "--c2", waiting: "--c1", receiving: "--c3" };

// One colour for one status, in each run and chart.
const STATUS_COLORS = { 2: ["--ok1", "--ok2", "--ok3"], 3: ["--c1"],
    4: ["--c2", "--warn", "--c6"], 5: ["--bad2", "--bad3", "--bad"] };

function statusColor(status) {
	const some = STATUS_COLORS[status[0]];
	return !/^[2-5]..$/.test(status) || !some ? "--none" :
	    some[Number(status) % some.length];
}

function covered(s, step) {
	return coveredOf(report.run, s, step);
}

function perSecond(value, s, step) {
	return value === undefined || value === null ? null :
	    value / covered(s, step);
}

// null: not known; no requests: none failed.
function failedIn(s, step) {
	return s.failed === null ? null : perSecond(s.failed || 0, s, step);
}

// While a run goes on its end is not known yet: what comes late is no outage,
// so the series end where the requests end.
function seriesSoFar(series) {
	if (report.run.state !== "Running")
		return series;
	let n = series.length;
	while (n > 0 && !series[n - 1].http_reqs)
		n--;
	return n > 0 ? series.slice(0, n) : series;
}

function findEdges(series, step) {
	const first = series[0], last = series[series.length - 1];
	const isCut = s => covered(s, step) < step * 0.99;
	shared.edges = [];
	if (first && isCut(first))
		shared.edges.push([first.t * 1000, (first.t + step) * 1000]);
	if (last && (report.run.state === "Running" || (last !== first &&
	    isCut(last))))
		shared.edges.push([last.t * 1000, (last.t + step) * 1000]);
}

function liveText(series) {
	const last = series[series.length - 1];
	return report.run.state !== "Running" || !last ? "" :
	    " Complete up to " + clockText(last.t * 1000) + ": folded samples " +
	    "come up to 8 s late; the grey step is not complete yet.";
}

// The limits of a metric's thresholds that a chart can show: p(95)<500,
// rate>0.9.
function limitsOf(metric, statistics) {
	return report.run.thresholds.flatMap(t => {
		const m = /^\s*(p\((\d+)\)|med|avg|max|rate)\s*[<>]=?\s*([\d.]+)/
		    .exec(t.source);
		return t.metric === metric && m && (!statistics ||
		    statistics.includes(m[1])) ? [{ value: Number(m[3]),
		    label: t.source, isCrossed: t.failed }] : [];
	});
}

function showCharts() {
	const step = report.step;
	const series = seriesSoFar(report.series);
	const all = filled(series, step);
	const time = s => s.http_req_duration || {};
	const statuses = [...new Set(series.flatMap(
	    s => Object.keys(s.status || {})))].sort();
	const parts = Object.keys(PHASES);
	findEdges(series, step);
	sections.overview.text.textContent = (matchMedia(
	    "(pointer: coarse)").matches ? "" : "Drag across a chart, or mark a part with Shift " +
	    "and the arrow keys and press Enter, to zoom in. ") + "Grey: an incomplete step." + liveText(series);
	// the lowest of the charts that are shown has the times
	charts.vus.element.hidden = !all.some(s => s.vus > 0);
	charts.p95.element.hidden = !all.some(s => isKnown(time(s).p95));
	charts.failed.limits = limitsOf("http_req_failed", ["rate"]).map(
	    l => Object.assign(l, { value: 100 * l.value }));
	charts.failed.element.hidden = !all.some(s => s.failed > 0 ||
	    (isKnown(s.failed) && charts.failed.limits.length));
	const shown = [charts.rate, charts.failed, charts.p95, charts.vus]
	    .filter(c => !c.element.hidden);
	for (const chart of shown)
		chart.options.noTimes = chart !== shown[shown.length - 1];
	charts.rate.draw(all.map(s => [at(s), perSecond(s.http_reqs || 0, s,
	    step), failedIn(s, step)]), [{ label: "requests", color: "--c1" },
	    { label: "failed", color: "--bad" }]);
	charts.failed.draw(all.map(s => [at(s), s.http_reqs > 0 &&
	    isKnown(s.failed) ? 100 * s.failed / s.http_reqs : null]),
	    [{ label: "failed", color: "--bad" }]);
	charts.p95.limits = limitsOf("http_req_duration", ["p(95)"]);
	charts.p95.draw(all.map(s => [at(s), known(time(s).p95)]),
	    [{ label: "p95", color: "--c2" }]);
	charts.vus.draw(all.map(s => [at(s), known(s.vus)]),
	    [{ label: "VUs", color: "--c3" }]);
	charts.percentiles.element.hidden = charts.p95.element.hidden;
	charts.percentiles.limits = limitsOf("http_req_duration");
	charts.percentiles.draw(trendRows(series, step,
	    PERCENTILES.map(p => p.label), s => s.http_req_duration), PERCENTILES);
	charts.timings.element.hidden = !series.some(s => s.timings &&
	    parts.some(p => isKnown(s.timings[p])));
	charts.timings.draw(trendRows(series, step, parts, s => s.timings),
	    parts.map(p => ({ label: p.replace("_handshaking", ""),
	    color: PHASES[p] })));
	charts.status.element.hidden = !statuses.some(Boolean);
	charts.status.draw(all.map(s => [at(s), ...statuses.map(k =>
	    perSecond(s.status && s.status[k] || 0, s, step))]), statuses.map(k =>
	    ({ label: statusText(k), color: statusColor(k) })));
	showDistribution();
	showLoad(series, step);
}

// Bars on a logarithmic scale; those without requests between others are 0.
function showDistribution() {
	const bars = new Map(report.distribution.map(d =>
	    [Math.round(12 * Math.log10(d.to)) - 1, d.count]));
	const keys = [...bars.keys()];
	const rows = [];
	if (keys.length) {
		// so wide that the axis has a number
		const room = Math.max(0, 7 - Math.max(...keys) + Math.min(...keys));
		const from = Math.min(...keys) - Math.floor(room / 2);
		const to = Math.max(...keys) + Math.ceil(room / 2);
		for (let i = from; i <= to + 1; i++)
			rows.push([i / 12, bars.get(i) || 0]);
	}
	charts.distribution.element.hidden = rows.length === 0;
	charts.distribution.draw(rows, [{ label: "requests", color: "--c1" }]);
}

// A point for each whole step: how long requests took when so many came.
function showLoad(series, step) {
	const [from, to] = shared.range;
	const rows = series.filter(s => s.http_reqs > 0 && covered(s, step) >=
	    step * 0.99 && (from === undefined ||
	    (s.t * 1000 >= from && s.t * 1000 < to))).map(s =>
	    [perSecond(s.http_reqs, s, step), s.http_req_duration.p95])
	    .sort((a, b) => a[0] - b[0]);
	charts.load.element.hidden = rows.length < 8 ||
	    rows[rows.length - 1][0] < rows[0][0] * 1.2;
	if (!charts.load.element.hidden)
		charts.load.draw(rows, [{ label: "a step", color: "--c1" }]);
}
