// One run; loads again whenever the server says that something changed.
"use strict";

const api = "/api/v1/runs/" +
    encodeURIComponent(location.pathname.split("/").filter(Boolean)[1]);

// Columns of the table: member, head, is a number, what it means.
const COLUMNS = [
	["name", "URL or name"], ["method", "Method"], ["status", "Status"],
	["count", "Count", 1], ["failed", "Failed", 1], ["min", "min", 1],
	["avg", "avg", 1], ["p50", "p50", 1, "median"],
	["p95", "p95", 1, "95 % of response times are at most this long"],
	["p99", "p99", 1, "99 % of response times are at most this long"],
	["max", "max", 1],
];

let urls = [];
let sort = { key: "count", sign: -1 };

function compareUrls(a, b) {
	const x = a[sort.key], y = b[sort.key];
	if (x === y)
		return a.name < b.name ? -1 : 1;
	return sort.sign * (x < y ? -1 : 1);
}

function urlRow(url) {
	return el("tr", {}, ...COLUMNS.map(([key, , isNumber]) => {
		if (key === "name")
			return el("th", { scope: "row" }, url.name || "–");
		if (!isNumber)
			return el("td", {}, url[key] === "0" ?
			    "no reply" : url[key] || "–");
		const isBad = key === "failed" && url.failed > 0;
		return el("td", { class: isBad ? "n bad-text" : "n" },
		    key === "count" || key === "failed" ?
		    count(url[key]) : number(url[key]));
	}));
}

const ROWS_MAX = 500;

function showUrls() {
	const sorted = urls.slice().sort(compareUrls);
	byId("url-rows").replaceChildren(
	    ...sorted.slice(0, ROWS_MAX).map(urlRow));
	setText("url-more", urls.length <= ROWS_MAX ? "" :
	    " · the first " + ROWS_MAX + " of " + count(urls.length) +
	    "; names per request make many: tag them with one name");
	for (const th of byId("url-head").children) {
		if (th.dataset.key === sort.key)
			th.setAttribute("aria-sort", sort.sign < 0 ?
			    "descending" : "ascending");
		else
			th.removeAttribute("aria-sort");
	}
}

function makeHead() {
	byId("url-head").append(...COLUMNS.map(([key, text, isNumber, title]) => {
		const button = el("button", { type: "button" }, text);
		const th = el("th", { scope: "col" }, button);
		th.dataset.key = key;
		if (isNumber)
			th.className = "n";
		if (title)
			button.title = title;
		button.addEventListener("click", () => {
			sort = { key, sign: sort.key === key ? -sort.sign :
			    isNumber ? -1 : 1 };
			showUrls();
		});
		return th;
	}));
}

function figure(name, value, small, isBad) {
	const dd = el("dd", isBad ? { class: "bad-text" } : {}, value);
	if (small)
		dd.append(" ", el("small", {}, small));
	return el("div", {}, el("dt", {}, name), dd);
}

function showFigures(run) {
	const t = run.totals, d = t.http_req_duration;
	const seconds = Math.max(run.duration, run.step);
	const all = [
		figure("Duration", duration(run.duration)),
		figure("Requests", count(t.http_reqs),
		    number(t.http_reqs / seconds) + "/s"),
		figure("Failed", count(t.http_req_failed),
		    percent(t.http_req_failed, t.http_reqs),
		    t.http_req_failed > 0),
		figure("Response time", millis(d.med), "median"),
		figure("Response time", millis(d.p95), "p95"),
		figure("Response time", millis(d.max), "longest"),
		figure("Virtual users", run.vus ? count(run.vus) : "–",
		    run.vus ? "at most" : ""),
		figure("Iterations", count(t.iterations)),
		figure("Received", bytes(t.data_received)),
	];
	if (t.checks.count)
		all.push(figure("Checks passed",
		    percent(t.checks.passes, t.checks.count),
		    t.checks.fails ? count(t.checks.fails) + " failed" : "",
		    t.checks.fails > 0));
	byId("figures").replaceChildren(...all);
}

function thresholdRow(t) {
	const [kind, text] = t.failed === null ? ["", "Open"] :
	    t.failed ? ["bad", "Crossed"] : ["good", "Kept"];
	return el("tr", {}, el("td", {},
	    el("span", { class: "badge " + kind }, text)),
	    el("th", { scope: "row" }, t.metric), el("td", {}, t.source));
}

function showRun(run) {
	document.title = run.state + ": " + run.name + " · k6serve";
	setText("name", run.name);
	setText("state", run.state);
	byId("state").className = stateClass(run.state);
	setText("meaning", (STATES[run.state] || ["", ""])[1] +
	    (run.late ? "; some data came after a time-out" : ""));
	setText("when", "Run " + run.id + " · " + time(run.start) +
	    (run.end ? " to " + time(run.end) : ""));
	showFigures(run);
	byId("thresholds").hidden = run.thresholds.length === 0;
	byId("threshold-rows").replaceChildren(
	    ...run.thresholds.map(thresholdRow));
}

// Steps without data become a row of their own at either end of the gap, with
// 0 requests and no times, so that no line is drawn across it.
function filled(series, step) {
	const all = [];
	for (const s of series) {
		const last = all[all.length - 1];
		if (last && s.t - last.t > step) {
			all.push({ t: last.t + step });
			if (s.t - last.t > 2 * step)
				all.push({ t: s.t - step });
		}
		all.push(s);
	}
	return all;
}

// dygraphs' own legend writes HTML with inline styles, which the page's
// security policy refuses; ours is below.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter(p => p !== Dygraph.Plugins.Legend);

const charts = {};

function style(name) {
	return getComputedStyle(document.documentElement)
	    .getPropertyValue(name).trim();
}

// Each line's colour, name and value: at the pointer, else the last one.
function showLegend(id, rows, labels, colors, at) {
	const row = rows[at] || rows[rows.length - 1] || [];
	byId("legend-" + id).replaceChildren(...labels.map((label, i) => {
		const mark = el("i");
		mark.style.background = style(colors[i]);
		return el("span", {}, mark, label + " ",
		    el("b", {}, number(row[i + 1])));
	}));
}

function describe(rows, label, i) {
	const values = rows.map(r => r[i + 1]).filter(v => v !== null);
	return values.length ? label + ": last " +
	    number(values[values.length - 1]) + ", highest " +
	    number(Math.max(...values)) : label + ": none";
}

function draw(id, rows, labels, colors, extra) {
	const options = Object.assign({
		labels: ["Time", ...labels], colors: colors.map(style),
		gridLineColor: style("--line"), axisLineColor: style("--line"),
		drawPoints: rows.length < 3, pointSize: 3, strokeWidth: 1.8,
		includeZero: true, highlightCircleSize: 4, xRangePad: 6,
		axes: { y: { axisLabelWidth: 48 }, x: { pixelsPerLabel: 90 } },
		highlightCallback: (event, x, points, at) =>
		    showLegend(id, rows, labels, colors, at),
		unhighlightCallback: () => showLegend(id, rows, labels, colors),
	}, extra);
	byId("chart-" + id).setAttribute("aria-label",
	    labels.map((label, i) => describe(rows, label, i)).join("; "));
	showLegend(id, rows, labels, colors);
	if (rows.length === 0)
		return;
	if (charts[id])
		charts[id].updateOptions(Object.assign({ file: rows }, options));
	else
		charts[id] = new Dygraph(byId("chart-" + id), rows, options);
}

let lastSeries = null;

function showSeries(series, step) {
	lastSeries = [series, step];
	const all = filled(series, step);
	const at = s => new Date(s.t * 1000);
	const duration = s => s.http_req_duration || {};
	const known = v => v === undefined ? null : v;
	draw("rate", all.map(s => [at(s), (s.http_reqs || 0) / step,
	    (s.failed || 0) / step]), ["requests", "failed"],
	    ["--accent", "--bad"], { fillGraph: true, fillAlpha: 0.12 });
	draw("time", all.map(s => [at(s), known(duration(s).p50),
	    known(duration(s).p95)]), ["p50", "p95"],
	    ["--third", "--second"], {});
	draw("vus", all.map(s => [at(s), known(s.vus)]), ["VUs"],
	    ["--accent"], { connectSeparatedPoints: true });
}

let isLoading = false;
let isStale = false;

async function load() {
	if (isLoading) {
		isStale = true;
		return;
	}
	isLoading = true;
	try {
		const [run, series, list] = await Promise.all([getJson(api),
		    getJson(api + "/series"), getJson(api + "/urls")]);
		byId("run").hidden = false;
		setText("note", "");
		showRun(run);
		showSeries(series, run.step);
		urls = list;
		showUrls();
		follow(run.state === "Running" || run.state === "Timed out");
	} catch (error) {
		setText("note", error.status === 404 ? "There is no such run." :
		    "The server does not answer (" + error.message +
		    "). Trying again.");
		if (error.status !== 404)
			setTimeout(load, 2000);
	}
	// not more than one load a second
	setTimeout(() => {
		isLoading = false;
		if (isStale) {
			isStale = false;
			load();
		}
	}, 1000);
}

let source = null;

function follow(isOpen) {
	if (!isOpen && source) {
		source.close();
		source = null;
	} else if (isOpen && !source) {
		source = new EventSource(api + "/events");
		source.addEventListener("change", load);
	}
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
	if (lastSeries)
		showSeries(...lastSeries);
});
makeHead();
load();
