// The run list; asks again every two seconds while somebody looks. What is
// looked for, and how it is sorted, stands in the page's address.
"use strict";

const chosen = new Map();	// number -> run
let shown = "";
let timer = 0;
const PAGE = 200;	// runs asked for at a time

const FILTERS = ["search", "name", "verdict", "state", "since", "until"];

function chooseBox(run) {
	const box = el("input", { type: "checkbox",
	    "aria-label": "Choose " + run.name });
	box.checked = chosen.has(run.id);
	box.addEventListener("change", () => {
		if (box.checked)
			chosen.set(run.id, run);
		else
			chosen.delete(run.id);
		showChosen();
	});
	return box;
}

function nameCell(run) {
	const box = el("div", {}, el("a", { href: "/runs/" + run.id },
	    el("bdi", {}, run.name)), el("span", { class: "soft small" }, " #" + run.id));
	if (run.note)
		box.append(el("div", { class: "soft small" }, run.note));
	return box;
}

function verdictCell(row) {
	return el("span", {}, address.get("name") ? starButton(row.run, row.star,
	    "", () => load()) : row.star ? el("span", { class: "star", title:
	    "The baseline of this name" }, "★") : "", " ",
	    ...verdictBadges(row.run));
}

const table = new Table([
	{ key: "verdict", head: "Verdict", cell: verdictCell },
	{ key: "name", head: "Name", cell: r => nameCell(r.run) },
	{ key: "state", head: "State", cell: r => badge(stateClass(r.state),
	    r.state) },
	{ key: "start", head: "Start", isTime: true, text: r => time(r.start) },
	{ key: "duration", head: "Duration", isNumber: true,
	    text: r => duration(r.duration) },
	{ key: "reqs", head: "Requests", isNumber: true,
	    text: r => count(r.reqs) },
	{ key: "share", head: "Failed", isNumber: true, isBad: r => r.share > 0,
	    text: r => r.share ? percent(r.share, 1) : r.share === 0 ? "0" : "–" },
	{ key: "p95", head: "p95", isNumber: true, title: "95 % of response " +
	    "times are at most this long", text: r => millis(r.p95) },
	{ key: "id", head: "Choose", isFixed: true, cell: r => chooseBox(r.run) },
], { caption: "Runs", stacks: true, sort: "id", state: "runs", shown: 10000, rowHead: 1, id: r =>
    String(r.run.id) });
table.body.id = "rows";
byId("list").prepend(table.element);

// Where only some runs of a name are listed, the last that passed may be
// another one.
function starOf(runs) {
	const isWhole = address.get("name") && ![...FILTERS, "before"].some(
	    f => f !== "name" && address.get(f));
	return isWhole ? baselineOf(runs) : runs.find(r => r.baseline &&
	    address.get("name"));
}

function rowsOf(runs) {
	const star = starOf(runs);
	return runs.map(run => ({ run, id: run.id, name: run.name,
	    verdict: run.verdict, state: run.state, start: run.start,
	    duration: run.duration,
	    reqs: run.totals.http_reqs,
	    share: run.totals.http_req_failed === null || !run.totals.http_reqs ?
	    null : run.totals.http_req_failed / run.totals.http_reqs, star: run.baseline || run === star,
	    p95: run.totals.http_req_duration.p95 }));
}

function showChosen() {
	const n = chosen.size;
	byId("chosen").hidden = n === 0;
	setText("chosen-text", n === 2 ? "2 runs chosen" : n + " chosen" +
	    (n < 2 ? " (choose two to compare)" : ""));
	byId("compare").disabled = n !== 2;
}

// Run after run of one name, the oldest first.
const trends = ["p95, ms", "Failed, %", "Requests per second"].map(title => {
	const chart = new Chart({ title, group: "trend", size: "low",
	    at: i => trendText(i), hasRoom: true, onClick: i => {
		location.href = "/runs/" + trendRuns[i].id;
	}, graph: { drawPoints: true, pointSize: 4, strokeWidth: 1, xRangePad: 12,
	    drawPointCallback: drawVerdict, axes: {
		x: { axisLabelFormatter: i => Number.isInteger(i) &&
		    trendRuns[i] ? String(trendRuns[i].id) : "",
		    pixelsPerLabel: 60, axisLabelWidth: 30 },
		y: { axisLabelWidth: 46, pixelsPerLabel: 22,
		    axisLabelFormatter: axisNumber } } } });
	byId("trend-charts").append(chart.element);
	return chart;
});
let trendRuns = [];
let trendStar = null;	// one of them

function trendText(i) {
	const run = trendRuns[i];
	return "Run " + run.id + ", " + (VERDICTS[run.verdict] || ["",
	    run.state])[1] + (run === trendStar ? " ★" : "");
}

function drawVerdict(g, label, c, x, y, lineColor, size, i) {
	const run = trendRuns[i];
	const kind = { passed: "--good", failed: "--bad" }[run?.verdict];
	c.fillStyle = color(kind || "--soft");
	if (run && run === trendStar) {
		c.font = "18px sans-serif";
		c.textAlign = "center";
		c.fillText("★", x, y + 6);
		return;
	}
	c.beginPath();
	c.arc(x, y, size, 0, 2 * Math.PI);
	c.fill();
}

function showTrend(runs) {
	trendStar = starOf(runs);
	trendRuns = runs.filter(r => r.totals.http_reqs > 0).reverse();
	byId("trend").hidden = !address.get("name") || trendRuns.length < 2;
	if (byId("trend").hidden)
		return;
	[r => r.totals.http_req_duration.p95, r => r.totals.http_req_failed ===
	    null ? null : 100 * r.totals.http_req_failed / r.totals.http_reqs,
	    r => r.duration > 0 ? r.totals.http_reqs / r.duration : null]
	    .forEach((of, i) => trends[i].draw(trendRuns.map((r, n) => [n,
	    of(r)]), [{ label: ["p95", "failed", "rate"][i],
	    color: "--c1" }]));
}

function filterText() {
	return FILTERS.map(f => address.get(f)).filter(Boolean).join(" ");
}

function showList(runs) {
	const wanted = filterText();
	table.set(rowsOf(runs));
	showTrend(runs);
	byId("list").hidden = byId("zone").hidden = runs.length === 0;
	setText("zone", "Time zone: " + zone());
	const isLater = !!address.get("before");
	byId("more").hidden = runs.length < PAGE && !isLater;
	byId("older").hidden = runs.length < PAGE;
	byId("newest").hidden = !isLater;
	setText("more-text", isLater ? plural(runs.length, "run") + " before run " +
	    address.get("before") + "." : "The newest " + count(runs.length) + ".");
	byId("welcome").hidden = runs.length !== 0 || wanted !== "" || isLater;
	tell(runs.length ? "" : address.get("search") === wanted && wanted ?
	    "No name or note contains “" + wanted + "”." : wanted ?
	    "No run matches." : "");
	byId("older").onclick = () => go({ before: String(runs[runs.length - 1]
	    .id) });
}

function tell(text, isBad) {
	setText("message", text);
	byId("message").classList.toggle("alarm", !!isBad && text !== "");
}

function go(values, isTyping) {
	address.set(Object.assign({ before: null }, values), isTyping);
	showFilters();
	load();
}

// The controls say what the address says.
function showFilters() {
	for (const f of FILTERS) {
		const control = byId(f), value = address.get(f) || "";
		if (control === document.activeElement)
			continue;
		// what the address has and no option says
		if (control.options && ![...control.options].some(
		    o => o.value === value))
			control.append(el("option", { value }, value));
		control.value = value;
	}
	byId("filters-clear").hidden = filterText() === "";
	setText("title", address.get("name") ? "Runs of " +
	    isolated(address.get("name")) : "Runs");
}

// A date begins at midnight here, as the times of the list are those of here.
function midnight(text) {
	const date = new Date(text + "T00:00:00");
	return /^\d{4}-\d\d-\d\d$/.test(text) && !isNaN(date) ?
	    date.toISOString() : text;
}

function queryText() {
	const words = new URLSearchParams({ limit: PAGE });
	for (const f of [...FILTERS, "before"])
		if (address.get(f))
			words.set(f, ["since", "until"].includes(f) ? midnight(
			    address.get(f)) : address.get(f));
	return words.toString();
}

async function load() {
	clearTimeout(timer);
	const query = queryText();
	try {
		const runs = await getJson("/api/v1/runs?" + query);
		const text = query + "\n" + JSON.stringify(runs);
		if (query === queryText() && text !== shown) {
			showList(runs);
			shown = text;
		}
	} catch (error) {
		tell(error.status === 400 ? error.message :
		    "The server does not answer (" + error.message +
		    "). Trying again.", true);
		shown = "";
	}
	if (!document.hidden)
		timer = setTimeout(load, 2000);
}

async function removeChosen() {
	const runs = [...chosen.values()];
	if (!await confirmed("Delete " + (runs.length === 1 ? "this run?" :
	    runs.length + " runs?"), runs.map(r => isolated(r.name)).join(", ") +
	    ": all data will be deleted. This cannot be undone.", "Delete"))
		return;
	try {
		for (const run of runs) {
			await ask("DELETE", "/api/v1/runs/" + run.id);
			chosen.delete(run.id);
		}
	} catch (error) {
		tell("Not deleted: " + error.message, true);
	}
	showChosen();
	load();
}

function begin() {
	byId("commands").textContent =
	    "k6gen -u 20 -d 30s https://test.example/ |\n" +
	    "    k6agg -p 3s | K6_CLOUD_HOST=" + location.origin + " k6push\n\n" +
	    "K6_CLOUD_HOST=" + location.origin + " K6_CLOUD_TOKEN=any \\\n" +
	    "    k6 run --out cloud script.js\n\n" +
	    "K6_CLOUD_HOST=" + location.origin + " k6push < results.json";
	for (const f of FILTERS)
		byId(f).addEventListener("input", () => go({ [f]:
		    byId(f).value.trim() || null }, true));
	byId("filters-clear").addEventListener("click", () => go(
	    Object.fromEntries(FILTERS.map(f => [f, null]))));
	byId("newest").addEventListener("click", () => go({}));
	byId("compare").addEventListener("click", () => {
		const [a, b] = [...chosen.keys()].sort((x, y) => x - y);
		location.href = "/compare?a=" + a + "&b=" + b;
	});
	byId("delete").addEventListener("click", removeChosen);
	byId("clear").addEventListener("click", () => {
		chosen.clear();
		for (const box of document.querySelectorAll("#rows input"))
			box.checked = false;
		showChosen();
	});
	document.addEventListener("visibilitychange", () => {
		if (!document.hidden)
			load();
	});
	addEventListener("address", () => {
		table.recall();
		showFilters();
		shown = "";
		load();
	});
	themeButton();
	showFilters();
	load();
}

begin();
