// One run; loads again whenever the server says that something changed. In an
// exported file the data is in the page, and nothing is asked for.
"use strict";

let allRequests = null;	// all names, where the report has only the first

function figure(title, value, small, isBad) {
	const dd = el("dd", isBad ? { class: "bad-text" } : {}, value);
	if (small)
		dd.append(" ", el("small", {}, small));
	return el("div", {}, el("dt", {}, title), dd);
}

// Those that were seen, and those that were announced.
function usersFigure(run) {
	if (!report)
		return figure("Maximum VUs", "…");
	const seen = Math.max(0, ...report.series.map(s => s.vus || 0));
	const most = Math.max(seen, 0) || run.vus;
	return figure("Maximum VUs", most ? count(most) : "–", !most ? "" :
	    !seen ? "planned" : run.vus > seen ? "of " + count(run.vus) +
	    " planned" : "");
}

// Of all answers those that succeeded in time, and half of those that nearly
// did.
function apdexFigure(apdex) {
	return figure("Apdex", number(apdex.score), apdex.score === null ?
	    "not known" : "for " + apdex.target + " ms");
}

function showFigures(run) {
	const of = report?.range || run;
	const t = of.totals, d = t.http_req_duration;
	// two requests in 3 ms are no 667/s
	const rate = n => n === null ? "not known" : of.duration >= 1 ?
	    number(n / of.duration) + "/s" : of.duration > 0 ? "in " +
	    duration(of.duration) : "";
	const all = [
		figure("Requests", count(t.http_reqs), rate(t.http_reqs)),
		figure("Failed", count(t.http_req_failed),
		    t.http_req_failed === null ? "not known" :
		    percent(t.http_req_failed, t.http_reqs) +
		    (t.http_req_failed_by === "status" ? " by status" : ""),
		    t.http_req_failed > 0),
		figure("p95", millis(d.p95), "response time"),
		figure("Median", millis(d.p50), "p99 " + millis(d.p99)),
		figure("Maximum", millis(d.max), "average " + millis(d.avg)),
		apdexFigure(t.apdex),
		usersFigure(run),
		figure("Iterations", count(t.iterations), rate(t.iterations)),
		figure("Received", bytes(t.data_received), t.data_sent === null ?
		    "not known" : bytes(t.data_sent) + " sent"),
	];
	if (t.checks.count)
		all.push(figure("Checks passed",
		    percent(t.checks.passes, t.checks.count),
		    t.checks.fails ? count(t.checks.fails) + " failed" : "all",
		    t.checks.fails > 0));
	byId("figures").replaceChildren(...all);
}

const SIGNS = { bad: "!", warn: "!", good: "✓", info: "i" };
const slowerText = new Map();	// of a part of the run, by its range

// Which URLs a part was slow in; asked once for each.
async function addUrls(range, element) {
	const key = range.join();
	if (!slowerText.has(key)) {
		const [from, to] = range.map(Math.floor);
		slowerText.set(key, getJson(api + "/requests?from=" + from +
		    "&to=" + to).then(rows => slowerUrls(rows,
		    report.requests)).catch(() => ""));
	}
	const text = await slowerText.get(key);
	element.textContent = text ? ", " + text : "";
}

function insightItem([level, title, text, range, isOfUrls]) {
	const urls = el("span");
	const item = el("li", { class: level }, el("i", { "aria-hidden": "true" },
	    SIGNS[level]), el("span", {}, el("b", {}, title), " – " + text, urls,
	    range ? ". " : ""));
	if (!range)
		return item;
	const link = el("a", { href: "#overview" }, "Show this part");
	link.addEventListener("click", event => {
		event.preventDefault();
		choose(range.map(t => t * 1000));
		byId("overview").scrollIntoView();
	});
	item.lastChild.append(link);
	if (isOfUrls && !embedded && report.run.state !== "Running")
		addUrls(range, urls);
	return item;
}

function showInsights() {
	const found = report.run.totals.http_reqs && (address.all("tag").length ||
	    report.range) ? null : insights(report);
	const text = JSON.stringify([found, report.run.state]);
	if (found === null || byId("insights").dataset.text === text)
		return;
	byId("insights").dataset.text = text;
	byId("insights").replaceChildren(...found.map(insightItem));
}

function showTitle(run) {
	document.title = (["passed", "failed"].includes(run.verdict) ?
	    VERDICTS[run.verdict][1] : run.state) + ": " + run.name +
	    " · k6serve";
}

function showHead(run) {
	setText("name", run.name);
	setText("state", run.state);
	byId("state").className = "badge " + stateClass(run.state);
	byId("verdict").replaceChildren(...verdictBadges(run), run.baseline ?
	    el("span", { class: "star", title: "The baseline of this name" },
	    " ★") : "");
	setText("meaning", (run.state === "Running" && !run.points ?
	    "waiting for data" : (STATES[run.state] || ["", ""])[1]) +
	    (run.late ? "; some data came after a time-out" : ""));
	setText("when", "Run " + run.id + " · " + time(run.start) +
	    (run.end ? " to " + time(run.end) : "") + " (" + zone() + ")" +
	    (run.duration === null ? "" : " · " + duration(run.duration)));
	byId("trend").href = "/?name=" + encodeURIComponent(run.name);
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
	facts.replaceChildren(fact("Name", run.name),
	    fact("Sent by", run.agent), fact("Generators", run.generators),
	    fact("Maximum VUs", run.vus),
	    fact("Planned duration", run.planned_duration ?
	    duration(run.planned_duration) : null),
	    fact("Project", run.project_id),
	    fact("First sample", run.points ? time(run.start) : null),
	    fact("Created", time(run.created)),
	    fact("Last data", run.points ? time(run.seen) : null),
	    fact("Ended", run.finished ? time(run.finished) : null),
	    fact("Time zone", zone()),
	    fact("Values stored", count(run.points)),
	    fact("Resolution", run.step + " s"));
}

// The part of the run that charts and tables show, and the way back.
function showRange() {
	const [from, to] = shared.range;
	byId("range").hidden = from === undefined;
	if (from !== undefined)
		setText("range-text", "Only " + clockText(from) + " to " +
		    clockText(to) + " (" + duration((to - from) / 1000) + ")");
}

function readRange() {
	const [from, to] = ["from", "to"].map(w => Number(address.get(w)));
	shared.range = from && to > from ? [from * 1000, to * 1000] : [];
}

// Show another part of the run, in ms; []: all of it.
function choose(range) {
	if (embedded) {
		shared.range = range;
		showRange();
		redrawCharts();
		return;
	}
	const [from, to] = range;
	address.set({ from: range.length ? String(Math.floor(from / 1000)) : null,
	    to: range.length ? String(Math.max(Math.floor(from / 1000) + 1,
	    Math.ceil(to / 1000))) : null });
	look();
}

// The page's address says something else now.
function look() {
	readRange();
	showRange();
	redrawCharts();
	allRequests = null;
	load();
}

function show(data) {
	report = data;
	const run = report.run;
	byId("run").hidden = false;
	tell(run.totals.http_reqs || report.series.length ? "" :
	    run.state === "Running" ? "No data yet. The charts appear with " +
	    "the first samples." : "This run has no data: it ended before " +
	    "the first sample came.");
	showTitle(run);
	showHead(run);
	showFigures(run);
	byId("figures").hidden = report.series.length === 0;
	showRange();
	showInsights();
	showAbout(run);
	showTables();
	showCharts();
}

// The first numbers come before the series, which take longer.
async function showFirst() {
	if (shared.range.length)
		return;
	const run = await getJson(api);
	if (report || !run.totals.http_reqs)
		return;
	byId("run").hidden = false;
	showHead(run);
	showFigures(run);
}

let isLoading = false;
let isStale = false;

// While a run goes on only the last steps are asked for again: what comes late
// is not older than a minute. So looking costs the same in a long run.
const LATE_S = 60;

function seriesFrom() {
	if (!report || report.run.state !== "Running" || !report.series.length ||
	    reportWords !== words())
		return 0;
	const last = report.series[report.series.length - 1].t;
	const from = last - Math.max(LATE_S, 3 * report.step);
	return from - from % report.step > report.series[0].t ?
	    from - from % report.step : 0;
}

async function getReport() {
	const from = seriesFrom(), asked = words();
	let data = await getJson(api + "/report" + asked + (from === 0 ? "" :
	    (asked ? "&" : "?") + "series_from=" + from));
	if (from !== 0 && (data.step !== report.step ||
	    data.run.state !== "Running"))
		data = await getJson(api + "/report" + asked);
	else if (from !== 0)
		data.series = [...report.series.filter(s => s.t < from),
		    ...data.series];
	reportWords = asked;
	return data;
}

let reportWords = "";

function words() {
	const w = new URLSearchParams();
	for (const key of ["from", "to", "tag"])
		for (const value of address.all(key))
			w.append(key, value);
	return w.toString() ? "?" + w : "";
}

// Sorting and filtering need all names; those past the report's are asked for
// once, and again when the run ends.
async function loadAllRequests(data) {
	if (data.requests.length < data.most_urls)
		return;
	if (allRequests === null || data.run.state !== "Running")
		allRequests = await getJson(api + "/requests" + words());
}

// What is wrong stands where one looks: at the top of the window.
function tell(text, isBad) {
	setText("message", text);
	byId("message").classList.toggle("alarm", !!isBad && text !== "");
}

// A run that is gone is not shown as if it went on.
function showTrouble(error) {
	if (error.status === 404) {
		follow(false);
		byId("run").hidden = true;
		byId("gone").hidden = false;
		document.title = "Run not found · k6serve";
		tell(report ? "This run was deleted." :
		    "There is no such run.");
		return;
	}
	tell("The server does not answer (" + error.message +
	    "). Trying again." + (report ? " The figures below are from " +
	    clockText(loadedAt) + "." : ""), true);
	if (error.status === undefined || error.status >= 500)
		setTimeout(load, 2000);
}

let loadedAt = 0;

async function load() {
	if (isLoading) {
		isStale = true;
		return;
	}
	const began = performance.now();
	isLoading = true;
	try {
		const data = await getReport();
		await loadAllRequests(data);
		loadedAt = Date.now();
		show(data);
		follow(data.run.state === "Running" ||
		    data.run.state === "Timed out");
	} catch (error) {
		showTrouble(error);
	}
	// not more than one load a second, and at most a quarter of the time
	const isOpen = report && report.run.state === "Running";
	setTimeout(() => {
		isLoading = false;
		if (isStale) {
			isStale = false;
			load();
		}
	}, isOpen ? Math.max(1000, 3 * (performance.now() - began)) : 0);
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
		source.addEventListener("end", () => {
			source?.close();
			load();
		});
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
		tell("");
	} catch (error) {
		tell("The note is not saved: " + error.message, true);
	}
}

async function remove() {
	if (!await confirmed("Delete this run?", "“" + isolated(report.run.name) +
	    "” and all its data will be deleted. This cannot be undone.", "Delete"))
		return;
	try {
		await ask("DELETE", api);
		location.href = "/";
	} catch (error) {
		tell("Not deleted: " + error.message, true);
	}
}

// It closes as menus do.
function listenToMenu() {
	const menu = document.querySelector(".menu");
	menu.addEventListener("keydown", event => {
		if (event.key !== "Escape" || !menu.open)
			return;
		menu.open = false;
		menu.querySelector("summary").focus();
	});
	for (const name of ["click", "focusin"])
		document.addEventListener(name, event => {
			if (!menu.contains(event.target))
				menu.open = false;
		});
}

function listen() {
	listenToMenu();
	shared.choose = choose;
	byId("range-reset").addEventListener("click", () => choose([]));
	timesOf.addEventListener("change", () => {
		address.set({ times: timesOf.value || null });
		showTables();
	});
	tagFilter.addEventListener("change", () => {
		address.set({ tag: [...address.all("tag"), tagFilter.value] });
		look();
	});
	addEventListener("address", () => {
		for (const table of tables)
			table.recall();
		look();
	});
}

function begin() {
	themeButton();
	listen();
	if (embedded) {
		byId("actions").hidden = true;
		document.querySelector(".bar nav").hidden = true;
		document.querySelector(".brand").removeAttribute("href");
		byId("note-text").readOnly = true;
		show(JSON.parse(embedded.textContent));
		return;
	}
	readRange();
	byId("compare").href = "/compare?b=" + api.split("/").pop();
	byId("exports").append(
	    exportLink("html", "HTML page", "one file, opens anywhere"),
	    exportLink("json", "JSON", "all figures and series"),
	    exportLink("csv", "CSV", "the table of requests"));
	byId("note-text").addEventListener("change", saveNote);
	byId("delete").addEventListener("click", remove);
	showFirst().catch(() => {});	// load tells what is wrong
	load();
}

begin();
