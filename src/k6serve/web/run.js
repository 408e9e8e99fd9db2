// One run; loads again whenever the server says that something changed. In an
// exported file the data is in the page, and nothing is asked for.
"use strict";

const embedded = byId("report");
const api = "/api/v1/runs/" +
    encodeURIComponent(location.pathname.split("/").filter(Boolean)[1] || "");
let report = null;
let allUrls = null;	// all names, where the report has only the first

// Sections, in their order on the page: a card that is hidden without data.
const sections = {};

function section(id, title, hint) {
	const tools = el("span");
	const card = el("section", { class: "card", id, "aria-labelledby":
	    id + "-title" }, el("header", {}, el("h2", { id: id + "-title" },
	    title), el("p", { class: "soft small" }, hint || ""), tools));
	sections[id] = { card, title, tools };
	byId("sections").append(card);
	return card;
}

function showSection(id, isThere, n) {
	sections[id].card.hidden = !isThere;
	sections[id].n = n;
}

function showToc() {
	byId("toc").replaceChildren(...Object.entries(sections).filter(
	    ([, s]) => !s.card.hidden).map(([id, s]) => el("a", { href: "#" +
	    id }, s.title, s.n === undefined ? "" : " ", s.n === undefined ?
	    "" : el("b", {}, count(s.n)))));
}

function plot(card, options) {
	const chart = new Chart(options);
	card.append(chart.element);
	return chart;
}

const overview = section("overview", "Overview");
const charts = {
	rate: plot(overview, { title: "Requests per second", group: "time",
	    fill: true, noTimes: true }),
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
    size: "tall", at: x => shortMs(10 ** x) + " to " + shortMs(10 ** (x + 1 / 12)),
    graph: { plotter: plotBars, axes: {
	y: { axisLabelWidth: 46, pixelsPerLabel: 34,
	    axisLabelFormatter: v => number(v) },
	x: { axisLabelFormatter: x => shortMs(10 ** x), pixelsPerLabel: 70,
	    axisLabelWidth: 60,
	    ticker: (a, b) => decades(a, b) } } } });

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

function name(text, fallback) {
	return text || fallback || "–";
}

function numberColumn(key, head, title, text) {
	return { key, head, title, isNumber: true,
	    text: text || (row => number(row[key])) };
}

const STATS = [
	numberColumn("min", "min", "shortest"),
	numberColumn("avg", "avg", "mean"),
	numberColumn("p50", "med", "half of the response times are at most " +
	    "this long"),
	...["90", "95", "99"].map(p => numberColumn("p" + p, "p" + p, p +
	    " % of response times are at most this long")),
	numberColumn("max", "max", "longest"),
];

function statusText(status) {
	return status === "0" ? "no\u00a0reply" : name(status);
}

const requests = section("requests", "Requests", "Response times in ms. " +
    "Open a row for its own charts.");
const urlTable = new Table([
	{ key: "name", head: "URL or name", text: r => name(r.name) },
	{ key: "method", head: "Method", text: r => name(r.method) },
	{ key: "status", head: "Status", text: r => statusText(r.status) },
	numberColumn("count", "Count", "", r => count(r.count)),
	numberColumn("rate", "per s", "requests per second of the run"),
	Object.assign(numberColumn("failed", "Failed", "",
	    r => count(r.failed)), { isBad: r => r.failed > 0 }), ...STATS,
], { caption: "Requests by URL or name", sort: "count",
    filter: "Filter by name, method or status",
    search: r => r.name + " " + r.method + " " + r.status,
    id: r => r.name + "\n" + r.method + "\n" + r.status, open: openUrl });
requests.append(urlTable.element);
sections.requests.tools.append(urlTable.input);
urlTable.body.id = "url-rows";

const LATE = ["waiting", "receiving", "sending", "tls_handshaking",
    "connecting", "blocked"];
const PHASES = { blocked: "--c6", connecting: "--c5", tls_handshaking: "--c4",
    sending: "--c2", waiting: "--c1", receiving: "--c3" };

function phases(r) {
	const all = sum(LATE, k => r[k]);
	const bar = el("div", { class: "phases", title: LATE.map(k =>
	    k + " " + millis(r[k])).join(", ") });
	for (const key of Object.keys(PHASES)) {
		const part = el("i");
		part.style.width = 100 * r[key] / all + "%";
		part.style.background = "var(" + PHASES[key] + ")";
		bar.append(part);
	}
	return bar;
}

const slow = section("slow", "Slowest requests", "Requests that came one by " +
    "one. Of folded requests, only the outliers.");
const slowTable = new Table([
	{ key: "name", head: "URL or name", text: r => name(r.name, r.url) },
	{ key: "method", head: "Method", text: r => name(r.method) },
	{ key: "status", head: "Status", text: r => statusText(r.status),
	    isBad: r => r.failed },
	numberColumn("at", "At", "seconds after the start", r => r.at < 0 ?
	    "–" : number(r.at) + " s"),
	numberColumn("duration", "Time", "", r => millis(r.duration)),
	{ key: "waiting", head: "Parts", title: "blocked, connecting, TLS, " +
	    "sending, waiting, receiving", cell: phases, text: () => "" },
], { caption: "The slowest requests", sort: "duration", shown: 10,
    id: r => r.time + r.name + r.duration });
slow.append(slowTable.element);

const checks = section("checks", "Checks");
const checkTable = new Table([
	{ key: "check", head: "Check", text: r => (r.group ? r.group.replace(
	    /^::/, "").replaceAll("::", " › ") + " › " : "") + r.check },
	{ key: "share", head: "Passed", isNumber: false, cell: r => {
		const part = el("i");
		part.style.width = 100 * r.share + "%";
		return el("div", { class: "meter" }, part);
	} },
	numberColumn("passes", "Passes", "", r => count(r.passes)),
	Object.assign(numberColumn("fails", "Fails", "", r => count(r.fails)),
	    { isBad: r => r.fails > 0 }),
	numberColumn("share", "Share", "", r => percent(r.passes, r.count)),
], { caption: "Checks", sort: "fails" });
checks.append(checkTable.element);

const thresholds = section("thresholds", "Thresholds");
const thresholdTable = new Table([
	{ key: "metric", head: "Metric", text: r => r.metric },
	{ key: "source", head: "Condition", text: r => r.source },
	{ key: "failed", head: "Result", cell: r => r.failed === null ?
	    badge("", "Not known") : r.failed ? badge("bad", "Crossed") :
	    badge("good", "Kept") },
	numberColumn("value", "Value", "", r => number(r.value)),
	{ key: "crossed", head: "First crossed", text: r => r.crossed ?
	    time(r.crossed) : "–" },
	{ key: "told", head: "Second opinion", text: r => r.told === null ||
	    r.judged === null || r.told === r.judged ? "" : "k6 says " +
	    (r.told ? "crossed" : "kept") + ", all data says " +
	    (r.judged ? "crossed" : "kept") },
], { caption: "Thresholds", sort: "failed" });
thresholds.append(thresholdTable.element);

const errors = section("errors", "Errors", "Failed requests by kind of error.");
const errorTable = new Table([
	{ key: "what", head: "Error", text: r => r.what },
	{ key: "error_code", head: "Code", text: r => name(r.error_code) },
	numberColumn("count", "Count", "", r => count(r.count)),
	{ key: "last", head: "Last seen", text: r => r.last ?
	    time(r.last) : "–" },
], { caption: "Errors", sort: "count" });
errors.append(errorTable.element);

const metrics = section("metrics", "Metrics", "The script's own metrics, and " +
    "those of k6 that are not shown above. Open a row for its chart.");
const metricTable = new Table([
	{ key: "metric", head: "Metric", text: r => r.metric },
	{ key: "type", head: "Type", text: r => r.type },
	numberColumn("count", "Values", "", r => count(r.count)),
	numberColumn("total", "Result", "sum of a counter, last value of a " +
	    "gauge, share of a rate", r => r.type === "rate" ? percent(
	    r.nonzero, r.count) : number(r.total)), ...STATS,
], { caption: "Metrics", sort: "metric", sign: 1, id: r => r.metric + r.type,
    open: openMetric });
metrics.append(metricTable.element);

const about = section("about", "About this run");
const facts = el("dl", { class: "facts" });
about.append(facts);

// The series of one row, which the file has under key or the server gives for
// the query, and the seconds in a step of it.
async function rowSeries(key, query) {
	if (embedded)
		return [Object.hasOwn(report.rows, key) ? report.rows[key] :
		    null, report.row_step];
	return [await getJson(api + "/series?step=" + report.step + "&" +
	    new URLSearchParams(query)), report.step];
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

async function openUrl(r, box) {
	const grid = el("div", { class: "grid" });
	box.append(grid);
	try {
		const [series, step] = await rowSeries(r.name + "\n" +
		    r.method + "\n" + r.status, { name: r.name,
		    method: r.method, status: r.status });
		if (!series) {
			grid.append(el("p", { class: "plot soft" },
			    "The exported file has no charts of this row."));
			return;
		}
		const rate = plot(grid, { title: "Requests per second",
		    fill: true });
		const time = plot(grid, { title: "Response time, ms" });
		rate.draw(filled(series, step).map(s => [at(s),
		    (s.http_reqs || 0) / step, failedIn(s, step)]),
		    [{ label: "requests", color: "--c1" },
		    { label: "failed", color: "--bad" }]);
		time.draw(trendRows(series, step, PERCENTILES.map(
		    p => p.label), s => s.http_req_duration), PERCENTILES);
	} catch (error) {
		grid.append(el("p", { class: "plot soft" }, error.message));
	}
}

async function openMetric(r, box) {
	try {
		const [series, step] = await rowSeries("metric\n" + r.metric,
		    { metric: r.metric });
		if (!series) {
			box.append(el("p", { class: "plot soft" },
			    "The exported file has no chart of this metric."));
			return;
		}
		const chart = plot(box, { title: r.metric + (r.type === "rate" ?
		    ", share" : r.type === "counter" ? ", per second" : ""),
		    fill: r.type !== "trend" });
		if (r.type === "trend")
			chart.draw(trendRows(series, step, PERCENTILES.map(
			    p => p.label), s => s), PERCENTILES);
		else
			chart.draw(filled(series, step).map(s => [at(s),
			    s.count === undefined ? null : r.type === "rate" ?
			    s.nonzero / s.count : r.type === "counter" ?
			    s.sum / step : s.last]),
			    [{ label: r.type === "gauge" ? "last" : r.type,
			    color: "--c1" }]);
	} catch (error) {
		box.append(el("p", { class: "plot soft" }, error.message));
	}
}

function figure(title, value, small, isBad) {
	const dd = el("dd", isBad ? { class: "bad-text" } : {}, value);
	if (small)
		dd.append(" ", el("small", {}, small));
	return el("div", {}, el("dt", {}, title), dd);
}

function showFigures(run) {
	const t = run.totals, d = t.http_req_duration;
	const perSecond = n => run.duration > 0 ?
	    number(n / run.duration) + "/s" : "";
	const all = [
		figure("Requests", count(t.http_reqs),
		    perSecond(t.http_reqs)),
		figure("Failed", count(t.http_req_failed),
		    t.http_req_failed === null ? "not known" :
		    percent(t.http_req_failed, t.http_reqs) +
		    (t.http_req_failed_by === "status" ? " by status" : ""),
		    t.http_req_failed > 0),
		figure("p95", millis(d.p95), "response time"),
		figure("Median", millis(d.med), "p99 " + millis(d.p99)),
		figure("Longest", millis(d.max), "mean " + millis(d.avg)),
		figure("Virtual users", run.vus ? count(run.vus) : "–",
		    run.vus ? "at most" : ""),
		figure("Iterations", count(t.iterations),
		    perSecond(t.iterations)),
		figure("Received", bytes(t.data_received),
		    bytes(t.data_sent) + " sent"),
	];
	if (t.checks.count)
		all.push(figure("Checks passed",
		    percent(t.checks.passes, t.checks.count),
		    t.checks.fails ? count(t.checks.fails) + " failed" : "all",
		    t.checks.fails > 0));
	byId("figures").replaceChildren(...all);
}

const SIGNS = { bad: "!", warn: "!", good: "✓", info: "i" };

function showInsights() {
	byId("insights").replaceChildren(...insights(report).map(
	    ([level, title, text]) => el("li", { class: level },
	    el("i", { "aria-hidden": "true" }, SIGNS[level]),
	    el("span", {}, el("b", {}, title), " – " + text))));
}

function showHead(run) {
	document.title = run.state + ": " + run.name + " · k6serve";
	setText("name", run.name);
	setText("state", run.state);
	byId("state").className = "badge " + stateClass(run.state);
	byId("verdict").replaceChildren(...verdictBadges(run));
	setText("meaning", (STATES[run.state] || ["", ""])[1] +
	    (run.late ? "; some data came after a time-out" : ""));
	setText("when", "Run " + run.id + " · " + time(run.start) +
	    (run.end ? " to " + time(run.end) : "") + " · " +
	    duration(run.duration));
	const note = byId("note-text");
	if (document.activeElement !== note)
		note.value = run.note;
	note.hidden = !!embedded && !run.note;
}

function fact(title, value) {
	return value === null || value === undefined || value === "" ? "" :
	    el("div", {}, el("dt", {}, title), el("dd", {}, value));
}

function showAbout(run) {
	facts.replaceChildren(fact("Script", run.name),
	    fact("Sent by", run.agent), fact("Generators", run.generators),
	    fact("Virtual users", run.vus),
	    fact("Planned duration", run.planned_duration ?
	    duration(run.planned_duration) : null),
	    fact("Project", run.project_id),
	    fact("First sample", time(run.start)),
	    fact("Created", time(run.created)),
	    fact("Last data", time(run.seen)),
	    fact("Ended", run.finished ? time(run.finished) : null),
	    fact("Values stored", count(run.points)),
	    fact("Coarsest step", run.step + " s"));
}

function statusColor(status, i) {
	const kind = status[0];
	return kind === "2" ? ["--c3", "--c5"][i % 2] : kind === "3" ? "--c1" :
	    kind === "4" ? "--c2" : kind === "5" ? "--bad" : "--c4";
}

/* For each second; null: not known. */
function failedIn(s, step) {
	return s.failed === null ? null : (s.failed || 0) / step;
}

function showCharts() {
	const step = report.step;
	const all = filled(report.series, step);
	const time = s => s.http_req_duration || {};
	const statuses = [...new Set(report.series.flatMap(
	    s => Object.keys(s.status)))].sort();
	const parts = Object.keys(PHASES);
	charts.rate.draw(all.map(s => [at(s), (s.http_reqs || 0) / step,
	    failedIn(s, step)]), [{ label: "requests", color: "--c1" },
	    { label: "failed", color: "--bad" }]);
	// without VUs the chart above has the times
	charts.vus.element.hidden = !all.some(s => s.vus > 0);
	charts.p95.options.noTimes = !charts.vus.element.hidden;
	charts.p95.draw(all.map(s => [at(s), known(time(s).p95)]),
	    [{ label: "p95", color: "--c2" }]);
	charts.vus.draw(all.map(s => [at(s), known(s.vus)]),
	    [{ label: "VUs", color: "--c3" }]);
	charts.percentiles.draw(trendRows(report.series, step,
	    PERCENTILES.map(p => p.label), s => s.http_req_duration), PERCENTILES);
	charts.timings.draw(trendRows(report.series, step, parts, s => s.timings),
	    parts.map(p => ({ label: p.replace("_handshaking", ""),
	    color: PHASES[p] })));
	charts.status.draw(all.map(s => [at(s), ...statuses.map(k =>
	    (s.status && s.status[k] || 0) / step)]), statuses.map((k, i) =>
	    ({ label: statusText(k), color: statusColor(k, i) })));
	showDistribution();
}

// Bars on a logarithmic scale; those without requests between others are 0.
function showDistribution() {
	const bars = new Map(report.distribution.map(([from, to, n]) =>
	    [Math.round(12 * Math.log10(to)) - 1, n]));
	const keys = [...bars.keys()];
	const rows = [];
	if (keys.length) {
		const from = Math.min(...keys), to = Math.max(...keys);
		for (let i = from; i <= to + 1; i++)
			rows.push([i / 12, bars.get(i) || 0]);
	}
	charts.distribution.draw(rows, [{ label: "requests", color: "--c1" }]);
}

const ABOVE = /^(http_|checks$|vus$|data_|iterations$)/;

function showTables() {
	const run = report.run;
	urlTable.set(allUrls || report.urls);
	slowTable.set(report.slow);
	checkTable.set(report.checks.map(c => Object.assign({ share: c.passes /
	    c.count }, c)));
	thresholdTable.set(run.thresholds);
	errorTable.set(report.errors.map(e => Object.assign({
	    what: errorText(e) }, e)));
	metricTable.set(report.metrics.filter(m => m.custom ||
	    !ABOVE.test(m.metric)).map(m => Object.assign({ total:
	    m.type === "counter" ? m.sum : m.type === "gauge" ? m.last :
	    m.type === "rate" ? m.nonzero / m.count : null }, m)));
	const n = urlTable.rows.length;
	const hasTime = run.totals.http_req_duration.count > 0;
	showSection("overview", report.series.length > 0);
	showSection("times", hasTime);
	showSection("requests", n > 0, allUrls || n < report.most_urls ? n :
	    undefined);
	showSection("slow", report.slow.length > 0, report.slow.length);
	showSection("checks", report.checks.length > 0, report.checks.length);
	showSection("thresholds", run.thresholds.length > 0,
	    run.thresholds.length);
	showSection("errors", report.errors.length > 0, report.errors.length);
	showSection("metrics", metricTable.rows.length > 0,
	    metricTable.rows.length);
	showToc();
}

function show(data) {
	report = data;
	const run = report.run;
	byId("run").hidden = false;
	setText("message", run.totals.http_reqs || report.series.length ? "" :
	    run.state === "Running" ? "No data yet. The charts appear with " +
	    "the first samples." : "This run has no data: it ended before " +
	    "the first sample came.");
	showHead(run);
	showFigures(run);
	byId("figures").hidden = report.series.length === 0;
	showInsights();
	showAbout(run);
	showTables();
	showCharts();
}

let isLoading = false;
let isStale = false;

// Sorting and filtering need all names; those past the report's are asked for
// once, and again when the run ends.
async function loadAllUrls(data) {
	if (data.urls.length < data.most_urls)
		return;
	if (allUrls === null || data.run.state !== "Running")
		allUrls = await getJson(api + "/urls");
}

// A run that is gone is not shown as if it went on.
function showTrouble(error) {
	if (error.status === 404) {
		follow(false);
		byId("run").hidden = true;
		setText("message", report ? "This run was deleted." :
		    "There is no such run.");
		return;
	}
	setText("message", "The server does not answer (" + error.message +
	    "). Trying again.");
	if (error.status === undefined || error.status >= 500)
		setTimeout(load, 2000);
}

async function load() {
	if (isLoading) {
		isStale = true;
		return;
	}
	const began = performance.now();
	isLoading = true;
	try {
		const data = await getJson(api + "/report");
		await loadAllUrls(data);
		show(data);
		follow(data.run.state === "Running" ||
		    data.run.state === "Timed out");
	} catch (error) {
		showTrouble(error);
	}
	// not more than one load a second, and at most a quarter of the time
	setTimeout(() => {
		isLoading = false;
		if (isStale) {
			isStale = false;
			load();
		}
	}, Math.max(1000, 3 * (performance.now() - began)));
}

let source = null;

function follow(isOpen) {
	if (source && (!isOpen || source.readyState === EventSource.CLOSED)) {
		source.close();
		source = null;
	}
	if (isOpen && !source) {
		source = new EventSource(api + "/events");
		source.addEventListener("change", load);
		source.addEventListener("error", load);	// to tell why
	}
}

function exportLink(file, title, hint) {
	return el("a", { href: api + "/export." + file, download: "" }, title,
	    el("small", {}, hint));
}

async function saveNote() {
	try {
		await ask("PATCH", api, { note: byId("note-text").value.trim() });
		setText("message", "");
	} catch (error) {
		setText("message", "The note is not saved: " + error.message);
	}
}

async function remove() {
	if (!await confirmed("Delete this run?", "“" + report.run.name +
	    "” and all its data will be deleted. This cannot be undone.", "Delete"))
		return;
	try {
		await ask("DELETE", api);
		location.href = "/";
	} catch (error) {
		setText("message", "Not deleted: " + error.message);
	}
}

function begin() {
	themeButton();
	if (embedded) {
		byId("actions").hidden = true;
		document.querySelector(".bar nav").hidden = true;
		document.querySelector(".brand").removeAttribute("href");
		byId("note-text").readOnly = true;
		show(JSON.parse(embedded.textContent));
		return;
	}
	byId("compare").href = "/compare?b=" + api.split("/").pop();
	byId("exports").append(
	    exportLink("html", "HTML page", "one file, opens anywhere"),
	    exportLink("json", "JSON", "all figures and series"),
	    exportLink("csv", "CSV", "the table of requests"));
	byId("note-text").addEventListener("change", saveNote);
	byId("delete").addEventListener("click", remove);
	load();
}

begin();
