// The tables of a run.
"use strict";

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
	return status === "0" ? "no\u00a0reply" : name(status, "not known");
}

const bad = r => r.failed > 0;
const requests = section("requests", "Requests");
const urlTable = new Table([
	{ key: "name", head: "URL or name", text: r => name(r.name) },
	{ key: "method", head: "Method", text: r => name(r.method) },
	numberColumn("count", "Count", "", r => count(r.count)),
	numberColumn("rate", "per s", "requests per second of the run",
	    r => (report.range || report.run).duration < 1 ? "–" :
	    number(r.rate)),
	Object.assign(numberColumn("failed", "Failed", "",
	    r => count(r.failed)), { isBad: bad }),
	Object.assign(numberColumn("share", "Failed %", "share that failed",
	    r => r.failed === null ? "–" : percent(r.failed, r.count)),
	    { isBad: bad }), ...STATS,
], { caption: "Requests by URL or name", stacks: true, sort: "count", state: "requests",
    filter: "Filter by name or method",
    search: r => r.name + " " + r.method,
    id: r => r.name + "\n" + r.method, open: openUrl });
const timesOf = el("select", { "aria-label": "Response times of" },
    el("option", { value: "" }, "Successful answers"),
    el("option", { value: "all" }, "All answers"));
const tagFilter = el("select", { "aria-label": "Only requests with a tag" });
const tagChips = el("span", { class: "chips" });
requests.append(urlTable.element);
sections.requests.tools.append(tagChips, tagFilter, timesOf, urlTable.input);
urlTable.body.id = "url-rows";

const LATE = ["waiting", "receiving", "sending", "tls_handshaking",
    "connecting", "blocked"];

function phases(r) {
	const all = sum(LATE, k => r[k]);
	const text = LATE.map(k => k.replace("_handshaking", "") + " " +
	    millis(r[k])).join(", ");
	const bar = el("div", { class: "phases", title: text, role: "img",
	    "aria-label": text });
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
], { caption: "The slowest requests", stacks: true, sort: "duration", state: "slow",
    shown: 10,
    id: r => r.time + r.name + r.duration });
slow.append(slowTable.element);

const checks = section("checks", "Checks");
const checkTable = new Table([
	{ key: "check", head: "Check", text: r => (r.group ? r.group.replace(
	    /^::/, "").split("::").map(isolated).join(" › ") + " › " : "") +
	    isolated(r.check) },
	{ key: "share", head: "Passed", isNumber: false, cell: r => {
		const part = el("i");
		part.style.width = 100 * r.share + "%";
		return el("div", { class: "meter" }, part);
	} },
	numberColumn("passes", "Passes", "", r => count(r.passes)),
	Object.assign(numberColumn("fails", "Fails", "", r => count(r.fails)),
	    { isBad: r => r.fails > 0 }),
	numberColumn("share", "Share", "", r => percent(r.passes, r.count)),
], { caption: "Checks", stacks: true, sort: "fails", state: "checks", id: r => r.group + "\n" + r.check });
checks.append(checkTable.element);

const thresholds = section("thresholds", "Thresholds");
const thresholdTable = new Table([
	{ key: "metric", head: "Metric", text: r => r.metric },
	{ key: "source", head: "Limit", text: r => r.source },
	{ key: "failed", head: "Result", cell: r => r.failed === null ?
	    badge("", "Not known") : r.failed ? badge("bad", "Crossed") :
	    report.run.state === "Running" ? badge("", "Kept so far") :
	    badge("good", "Kept") },
	Object.assign(numberColumn("value", "Value", "", r => number(r.value)),
	    { isBad: r => r.failed }),
	{ key: "crossed", head: "First crossed", isTime: true, text: r => r.crossed ?
	    time(r.crossed) : "–" },
	{ key: "told", head: "Second opinion", isRare: true, text: r => r.told === null ||
	    r.judged === null || r.told === r.judged ? "" : "reported: " +
	    (r.told ? "crossed" : "kept") + "; by all data: " +
	    (r.judged ? "crossed" : "kept") },
], { caption: "Thresholds", stacks: true, sort: "failed", state: "thresholds" });
thresholds.append(thresholdTable.element);

// Of a run with steps only the step is known, or its part up to the last one.
function firstText(r) {
	const step = report.run.step * 1000, last = Date.parse(r.last);
	const first = Date.parse(r.first);
	const from = first - first % step;
	const to = Math.min(from + step, last);
	return !r.first ? "–" : step <= 1000 || to - from < 1000 ?
	    time(r.first) : time(from) + " to " + clockText(to);
}

const errors = section("errors", "Errors", "Failed requests by URL and kind " +
    "of error.");
const errorTable = new Table([
	{ key: "what", head: "Error", text: r => r.what },
	{ key: "name", head: "URL or name", text: r => name(r.name) },
	{ key: "method", head: "Method", text: r => name(r.method) },
	{ key: "error_code", head: "Code", text: r => name(r.error_code) },
	numberColumn("count", "Count", "", r => count(r.count)),
	{ key: "first", head: "First seen", text: firstText },
	{ key: "last", head: "Last seen", text: r => r.last ?
	    time(r.last) : "–" },
], { caption: "Errors", stacks: true, sort: "count", state: "errors", shown: 20,
    id: r => [r.what, r.name, r.method, r.error_code].join("\n") });
errors.append(errorTable.element);

const metrics = section("metrics", "Metrics", "The script's own metrics, and " +
    "those of k6 that are not shown above, over the whole run. Open a row for " +
    "its chart.");
const metricTable = new Table([
	{ key: "metric", head: "Metric", text: r => r.metric },
	{ key: "type", head: "Type", text: r => r.type },
	numberColumn("count", "Values", "", r => count(r.count)),
	numberColumn("total", "Result", "sum of a counter, last value of a " +
	    "gauge, share of a rate", r => r.type === "rate" ? percent(
	    r.nonzero, r.count) : number(r.total)), ...STATS,
], { caption: "Metrics", stacks: true, sort: "metric", sign: 1, state: "metrics",
    id: r => r.metric + r.type, open: openMetric });
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
	const words = new URLSearchParams(query);
	for (const tag of address.all("tag"))
		words.append("tag", tag);
	return [await getJson(api + "/series?step=" + report.step + "&" +
	    words), report.step];
}

// What draws a row's details again, not twice at a time; errors are told there.
function again(box, draw) {
	let isBusy = false;
	const run = async row => {
		if (isBusy)
			return;
		isBusy = true;
		try {
			await draw(row);
		} catch (error) {
			box.append(el("p", { class: "plot soft" }, error.message));
		}
		isBusy = false;
	};
	return run;
}

function statusList(r) {
	const rows = report.urls.filter(u => u.name === r.name &&
	    u.method === r.method);
	return el("ul", { class: "statuses" }, ...rows.map(u => el("li", {
	    class: u.failed > 0 ? "bad-text" : "" }, el("b", {}, statusText(
	    u.status)), " " + plural(u.count, "request") + " (" +
	    percent(u.count, r.count) + "), med " + millis(u.p50) + ", p95 " +
	    millis(u.p95) + ", max " + millis(u.max))));
}

function openUrl(r, box) {
	const list = el("div");
	const grid = el("div", { class: "grid" });
	box.append(list, grid);
	let rate = null, time = null;
	const draw = again(grid, async row => {
		list.replaceChildren(statusList(row));
		const [series, step] = await rowSeries(row.name + "\n" +
		    row.method, { name: row.name, method: row.method });
		if (!series) {
			grid.replaceChildren(el("p", { class: "plot soft" },
			    "The exported file has no charts of this row."));
			return;
		}
		rate = rate || plot(grid, { title: "Requests per second",
		    group: "time", fill: true });
		time = time || plot(grid, { title: "Response time, ms",
		    group: "time" });
		rate.draw(filled(series, step).map(s => [at(s),
		    perSecond(s.http_reqs || 0, s, step), failedIn(s, step)]),
		    [{ label: "requests", color: "--c1" },
		    { label: "failed", color: "--bad" }]);
		time.draw(trendRows(series, step, PERCENTILES.map(
		    p => p.label), s => s.http_req_duration), PERCENTILES);
	});
	draw(r);
	return draw;
}

function metricValue(r, s, step) {
	return s.count === undefined ? null : r.type === "rate" ?
	    s.nonzero / s.count : r.type === "counter" ? perSecond(s.sum, s,
	    step) : s.last;
}

function openMetric(r, box) {
	let chart = null;
	const draw = again(box, async row => {
		const [series, step] = await rowSeries("metric\n" + row.metric,
		    { metric: row.metric });
		if (!series) {
			box.replaceChildren(el("p", { class: "plot soft" },
			    "The exported file has no chart of this metric."));
			return;
		}
		chart = chart || plot(box, { title: r.metric + (r.type ===
		    "rate" ? ", share" : r.type === "counter" ?
		    ", per second" : ""), group: "time",
		    fill: r.type !== "trend" });
		chart.limits = limitsOf(r.metric);
		if (r.type === "trend")
			chart.draw(trendRows(series, step, PERCENTILES.map(
			    p => p.label), s => s), PERCENTILES);
		else
			chart.draw(filled(series, step).map(s => [at(s),
			    metricValue(r, s, step)]), [{ label: r.type ===
			    "gauge" ? "last" : r.type, color: "--c1" }]);
	});
	draw(r);
	return draw;
}

const tables = [urlTable, slowTable, checkTable, thresholdTable, errorTable,
    metricTable];

// Rows of requests, with the times that are asked for.
function requestRows(rows) {
	const isAll = address.get("times") === "all";
	return rows.map(r => Object.assign({}, r, isAll ? {} : r.successful,
	    { count: r.count, successful: undefined, share: r.failed === null ?
	    null : r.failed / r.count }));
}

// All requests together. Of a tag, only what can be added up is known.
function totalRow(rows) {
	const t = (report.range || report.run).totals;
	const failed = rows.some(r => r.failed === null) ? null : sum(rows,
	    r => r.failed);
	const trend = address.all("tag").length ? null :
	    address.get("times") === "all" || failed === 0 ?
	    t.http_req_duration : t.http_req_duration_expected;
	return Object.assign({ name: "All requests", method: " " }, trend ||
	    { min: null, avg: null, p50: null, p90: null, p95: null, p99: null,
	    max: null }, { count: sum(rows, r => r.count), rate: sum(rows,
	    r => r.rate), failed });
}

// The tags that are chosen, and those that can be.
function showTagFilter() {
	const chosen = address.all("tag");
	tagFilter.hidden = report.tags.length === 0 || !!embedded;
	tagFilter.replaceChildren(el("option", { value: "" }, "Filter by tag…"),
	    ...report.tags.filter(t => !chosen.includes(t.tag + ":" + t.value))
	    .map(t => el("option", { value: t.tag + ":" + t.value }, t.tag +
	    ": " + t.value + " (" + count(t.count) + ")")));
	tagChips.replaceChildren(...chosen.map(tag => {
		const button = el("button", { type: "button", class: "chip",
		    title: "Without this filter" }, tag + " ✕");
		button.addEventListener("click", () => {
			address.set({ tag: chosen.filter(t => t !== tag) });
			look();
		});
		return button;
	}));
}

const ABOVE = /^(http_|checks$|vus$|data_|iterations$)/;

function showTables() {
	const run = report.run;
	const rows = requestRows(allRequests || report.requests);
	const isAll = address.get("times") === "all";
	timesOf.value = isAll ? "all" : "";
	sections.requests.text.textContent = "Response times in ms, of " +
	    (isAll ? "all" : "successful") + " answers. Open a row for its " +
	    "statuses and charts.";
	showTagFilter();
	urlTable.set(rows, rows.length > 1 ? totalRow(rows) : null);
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
	const n = rows.length;
	const hasTime = run.totals.http_req_duration.count > 0;
	showSection("overview", report.series.length > 0);
	showSection("times", hasTime);
	showSection("requests", report.run.totals.http_reqs > 0, n <
	    report.most_urls || allRequests ? n : undefined);
	showSection("slow", report.slow.length > 0, report.slow.length);
	showSection("checks", report.checks.length > 0, report.checks.length);
	showSection("thresholds", run.thresholds.length > 0,
	    run.thresholds.length);
	showSection("errors", report.errors.length > 0, report.errors.length);
	showSection("metrics", metricTable.rows.length > 0,
	    metricTable.rows.length);
	showSection("about", true);
	showToc();
}
