// Two runs side by side.
"use strict";

const SIDES = ["a", "b"];
const COLORS = { a: "--c6", b: "--c1" };
const CHANGES = { better: ["good", "Better"], worse: ["bad", "Worse"],
    unknown: ["", "Too little data to tell"] };
const query = new URLSearchParams(location.search);

function shareText(v) {
	return v === null ? "–" : percent(v, 1);
}

function valueText(unit, v) {
	return unit === "ms" ? millis(v) : unit === "share" ? shareText(v) :
	    unit === "1/s" ? number(v) + "/s" : number(v);
}

function changeText(unit, a, b, change) {
	if (a === null || b === null)
		return "–";
	if (unit === "share")
		return (b >= a ? "+" : "−") + number(Math.abs(b - a) * 100) +
		    " points";
	return change === null ? "–" : (change >= 0 ? "+" : "−") +
	    fine.format(Math.abs(change) * 100) + " %";
}

function verdictBadge(verdict) {
	return verdict in CHANGES ? badge(...CHANGES[verdict]) : "";
}

// how sure a finding is
function sureText(f) {
	return f.p === null || !["better", "worse"].includes(f.verdict) ? "" :
	    el("span", { class: "soft small" }, " p " + (f.p < 0.0001 ?
	    "< 0.0001" : number(f.p)));
}

function figureRow(f) {
	return el("tr", {}, el("th", { scope: "row" }, f.figure),
	    el("td", { class: "n" }, valueText(f.unit, f.base)),
	    el("td", { class: "n" }, valueText(f.unit, f.run)),
	    el("td", { class: "n" }, changeText(f.unit, f.base, f.run,
	    f.change)), el("td", {}, verdictBadge(f.verdict), sureText(f)));
}

const card = byId("charts");
const grid = el("div", { class: "grid" });
card.append(grid);
const elapsed = { axes: { x: { axisLabelFormatter: s => duration(s),
    pixelsPerLabel: 80 }, y: { axisLabelWidth: 46, pixelsPerLabel: 34,
    axisLabelFormatter: v => number(v) } }, connectSeparatedPoints: true };
const charts = ["Requests per second", "p95, ms", "Failed per second",
    "Virtual users"].map(title => {
	const chart = new Chart({ title, group: "time", graph: elapsed,
	    at: s => duration(s), size: "tall" });
	grid.append(chart.element);
	return chart;
});

const urlTable = new Table([
	{ key: "name", head: "URL or name", text: r => r.name || "–" },
	{ key: "method", head: "Method", text: r => r.method || "–" },
	...["a", "b"].map(s => ({ key: s + "Count", isNumber: true,
	    head: "Count " + s.toUpperCase(), text: r => count(r[s + "Count"]) })),
	...["a", "b"].map(s => ({ key: s + "Failed", isNumber: true,
	    head: "Failed " + s.toUpperCase(), text: r => count(r[s + "Failed"]),
	    isBad: r => r[s + "Failed"] > 0 })),
	...["a", "b"].map(s => ({ key: s + "P95", isNumber: true,
	    head: "p95 " + s.toUpperCase(), text: r => number(r[s + "P95"]) })),
	{ key: "change", head: "Change", isNumber: true,
	    text: r => changeText("ms", r.aP95, r.bP95, r.change) },
	{ key: "verdict", head: "Verdict", cell: r => verdictBadge(r.verdict) },
], { caption: "Requests in both runs", sort: "change",
    filter: "Filter by name or method", search: r => r.name + " " + r.method,
    id: r => r.name + "\n" + r.method });
byId("urls").append(urlTable.element);
byId("url-tools").append(urlTable.input);

function showAbout(side, run) {
	byId("about-" + side).replaceChildren(
	    el("p", {}, ...verdictBadges(run),
	    badge(stateClass(run.state), run.state)),
	    el("p", {}, el("a", { href: "/runs/" + run.id }, run.name)),
	    el("p", { class: "soft small" }, time(run.start) + " · " +
	    duration(run.duration) + (run.vus ? " · " +
	    plural(run.vus, "VU") : "")),
	    run.note ? el("p", { class: "small" }, run.note) : "");
}

function rowsOf(reports, of) {
	const rows = new Map();
	reports.forEach((report, i) => {
		const first = report.series.length ? report.series[0].t : 0;
		for (const s of report.series) {
			const t = s.t - first;
			if (!rows.has(t))
				rows.set(t, [t, null, null]);
			rows.get(t)[i + 1] = known(of(s, report.step));
		}
	});
	return [...rows.values()].sort((a, b) => a[0] - b[0]);
}

function showCharts(reports) {
	const lines = SIDES.map(s => ({ label: s.toUpperCase(),
	    color: COLORS[s] }));
	[(s, step) => s.http_reqs / step, s => s.http_req_duration.p95,
	    (s, step) => s.failed / step, s => s.vus].forEach((of, i) =>
	    charts[i].draw(rowsOf(reports, of), lines));
}

function showVerdict(d) {
	const least = percent(d.min_effect, 1);
	const better = d.figures.filter(f => f.verdict === "better").length;
	setText("bound", "Worse or better: a change of at least " + least +
	    ", for a share of one percentage point, that is more than noise.");
	const [level, title, text] = d.worse ? ["bad", d.worse === 1 ?
	    "One figure is worse" : d.worse + " figures are worse",
	    "B is worse than A by at least " + least + "."] :
	    d.unknown ? ["warn", "Too little data to tell", "The runs are too " +
	    "short to tell a change from noise in " + (d.unknown === 1 ?
	    "one figure." : d.unknown + " figures.")] :
	    better ? ["good", "B is better", better + (better === 1 ?
	    " figure improved" : " figures improved") + " by at least " +
	    least + ", and none became worse."] : ["good", "No difference",
	    "No change of at least " + least + " is more than noise."];
	byId("verdict").replaceChildren(el("li", { class: level },
	    el("i", { "aria-hidden": "true" }, level === "good" ? "✓" : "!"),
	    el("span", {}, el("b", {}, title), " – " + text)));
}

function showDiff(d) {
	showAbout("a", d.base);
	showAbout("b", d.run);
	showVerdict(d);
	byId("figure-rows").replaceChildren(...d.figures.map(figureRow));
	urlTable.set(d.urls.map(u => ({ name: u.name, method: u.method,
	    aCount: u.base.count, bCount: u.run.count,
	    aFailed: u.base.failed, bFailed: u.run.failed,
	    aP95: u.base.p95, bP95: u.run.p95, change: u.change,
	    verdict: u.verdict })));
	byId("urls").hidden = d.urls.length === 0;
}

async function load() {
	const [a, b] = SIDES.map(s => byId("run-" + s).value);
	const path = "/api/v1/runs/";
	history.replaceState(null, "", "/compare?" +
	    new URLSearchParams({ a, b }));
	document.title = "Run " + a + " and " + b + " · k6serve";
	try {
		const d = await getJson(path + encodeURIComponent(b) +
		    "/diff?base=" + encodeURIComponent(a));
		const reports = await Promise.all([a, b].map(id =>
		    getJson(path + id + "/report")));
		const step = Math.max(...reports.map(r => r.step));
		byId("diff").hidden = false;
		setText("message", a === b ? "Choose two different runs." : "");
		showDiff(d);
		showCharts(reports.every(r => r.step === step) ? reports :
		    await Promise.all([a, b].map(async (id, i) => ({ step,
		    series: await getJson(path + id + "/series?step=" + step),
		    i }))));
	} catch (error) {
		byId("diff").hidden = true;
		setText("message", error.status === 404 || error.status === 400 ?
		    "There is no such run." : error.message);
	}
}

async function begin() {
	themeButton();
	const runs = await getJson("/api/v1/runs?limit=1000");
	if (runs.length < 2) {
		setText("message", "There must be two runs to compare.");
		document.querySelector(".runs").hidden = true;
		return;
	}
	SIDES.forEach((side, i) => {
		const select = byId("run-" + side);
		byId("key-" + side).style.background = "var(" + COLORS[side] +
		    ")";
		select.append(...runs.map(r => el("option", { value: r.id },
		    r.id + " · " + r.name + " · " + time(r.start))));
		// one that is not in the list may be older, or gone
		const wanted = query.get(side);
		if (wanted && !runs.some(r => String(r.id) === wanted))
			select.append(el("option", { value: wanted },
			    "Run " + wanted));
		select.value = wanted || runs[1 - i].id;
		select.addEventListener("change", load);
	});
	if (!query.get("a") && query.get("b")) {
		const at = runs.findIndex(r => String(r.id) === query.get("b"));
		const other = runs.slice(at + 1).find(r => r.name ===
		    runs[at]?.name) || runs[at + 1] || runs[0];
		byId("run-a").value = other.id;
	}
	await load();
}

begin().catch(error => setText("message", error.message));
