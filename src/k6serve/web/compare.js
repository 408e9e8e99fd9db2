// Two runs side by side.
"use strict";

const SIDES = ["a", "b"];
const COLORS = { a: "--c6", b: "--c1" };
const CHANGES = { better: ["good", "Better"], worse: ["bad", "Worse"],
    unknown: ["", "Too little data to tell"], onlyA: ["", "Only in A"],
    onlyB: ["", "Only in B"] };

function shareText(v) {
	return v === null ? "–" : percent(v, 1);
}

function valueText(unit, v) {
	return unit === "ms" ? millis(v) : unit === "share" ? shareText(v) :
	    number(v) + (unit === "1/s" && v !== null ? "/s" : "");
}

function changeText(unit, a, b, change) {
	if (a === null || b === null)
		return "–";
	if (a === b)
		return "same";
	if (unit === "share")
		return (b >= a ? "+" : "−") + number(Math.abs(b - a) * 100) +
		    " points";
	return change === null ? valueText(unit, a) + " → " +
	    valueText(unit, b) : (change >= 0 ? "+" : "−") +
	    fine.format(Math.abs(change) * 100) + " %";
}

// A change that is large enough, and yet not sure, says so.
function verdictBadge(verdict, isLarge) {
	return verdict in CHANGES ? badge(...CHANGES[verdict]) : isLarge ?
	    el("span", { class: "soft small", title: "The difference is " +
	    "large enough to count, but may be noise" },
	    "uncertain") : "";
}

let minEffect = 1;	// what the comparison takes for a change
const LEAST_POINT = 0.01;	// of a share

function isLarge(f) {
	return f.unit === "share" ? f.base !== null && f.run !== null &&
	    Math.abs(f.run - f.base) >= LEAST_POINT :
	    Math.abs(f.change) >= minEffect;
}

// how sure a finding is
function sureText(f) {
	return f.p === null || !["better", "worse"].includes(f.verdict) ? "" :
	    el("span", { class: "soft small" }, " p " + (f.p < 0.0001 ?
	    "< 0.0001" : number(f.p)));
}

// The names below the number of crossed thresholds.
function crossedNames(crossed) {
	return SIDES.flatMap((s, i) => (crossed || { base: [], run: [] })[
	    i ? "run" : "base"].map(text => el("div", { class: "soft small" },
	    s.toUpperCase() + ": " + text)));
}

function figureRow(f, crossed) {
	const n = (head, text) => el("td", { class: "n", "data-head": head },
	    text);
	return el("tr", {}, el("th", { scope: "row" }, f.figure,
	    ...f.figure === "crossed thresholds" ? crossedNames(crossed) : []),
	    n("A", valueText(f.unit, f.base)), n("B", valueText(f.unit, f.run)),
	    n("Change", changeText(f.unit, f.base, f.run, f.change)),
	    el("td", {}, verdictBadge(f.verdict, f.judged && isLarge(f)),
	    sureText(f)));
}

const card = byId("charts");
const grid = el("div", { class: "grid" });
card.append(grid);
const elapsed = { axes: { x: { axisLabelFormatter: s => duration(s),
    pixelsPerLabel: 80 }, y: { axisLabelWidth: 46, pixelsPerLabel: 34,
    axisLabelFormatter: axisNumber } }, connectSeparatedPoints: true };
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
	{ key: "verdict", head: "Verdict", cell: r => verdictBadge(r.verdict,
	    Math.abs(r.change) >= minEffect) },
], { caption: "Requests", stacks: true, sort: "change", state: "urls",
    filter: "Filter by name or method", search: r => r.name + " " + r.method,
    id: r => r.name + "\n" + r.method });
byId("urls").append(urlTable.element);
byId("url-tools").append(urlTable.input);

// What makes the two runs hard to compare.
function warnings(a, b) {
	const rate = r => r.duration > 0 ? r.totals.http_reqs / r.duration : null;
	const differ = (x, y, least) => x && y && Math.max(x, y) > Math.min(x,
	    y) * least;
	const found = [];
	if (a.name !== b.name)
		found.push("They have different names.");
	if (differ(rate(a), rate(b), 1.2))
		found.push("The load differs: " + number(rate(a)) +
		    " and " + number(rate(b)) + " requests/s.");
	else if (differ(a.vus, b.vus, 1.2))
		found.push("The load differs: " + plural(a.vus, "virtual user") +
		    " and " + count(b.vus) + ".");
	if (differ(a.duration, b.duration, 1.2))
		found.push("The duration differs: " + duration(a.duration) +
		    " and " + duration(b.duration) + ".");
	if ([a, b].some(r => r.state === "Running"))
		found.push("A run still goes on.");
	return found.length ? [["warn", "Not the same test", found.join(" ") +
	    " A change may come from that."]] : [];
}

function showAbout(side, run) {
	byId("about-" + side).replaceChildren(
	    el("p", {}, ...verdictBadges(run),
	    badge(stateClass(run.state), run.state)),
	    el("p", {}, el("a", { href: "/runs/" + run.id }, run.name)),
	    el("p", { class: "soft small" }, time(run.start) + " (" + zone() + ")" +
	    (run.duration === null ? "" : " · " + duration(run.duration)) + (run.vus ? " · " +
	    plural(run.vus, "VU") : "")),
	    run.note ? el("p", { class: "small" }, run.note) : "",
	    starButton(run, false, run.baseline ? " Baseline of this name" :
	    " Make it the baseline of this name", () => load(true)));
}

function rowsOf(reports, of) {
	const rows = new Map();
	reports.forEach((report, i) => {
		const first = report.series.length ? report.series[0].t : 0;
		for (const s of report.series) {
			const t = s.t - first;
			if (!rows.has(t))
				rows.set(t, [t, null, null]);
			rows.get(t)[i + 1] = known(of(s, report.step, report.run));
		}
	});
	return [...rows.values()].sort((a, b) => a[0] - b[0]);
}

function showCharts(reports) {
	const lines = SIDES.map(s => ({ label: s.toUpperCase(),
	    color: COLORS[s] }));
	const rate = (n, s, step, run) => n === null ? null :
	    (n || 0) / coveredOf(run, s, step);
	[(s, ...of_step) => rate(s.http_reqs, s, ...of_step), s => s.http_req_duration.p95,
	    (s, ...of_step) => rate(s.failed, s, ...of_step), s => s.vus].forEach((of, i) =>
	    charts[i].draw(rowsOf(reports, of), lines));
}

function showVerdict(d) {
	const least = percent(d.min_effect, 1);
	const better = d.figures.filter(f => f.verdict === "better").length;
	setText("bound", "Worse or better: a change of at least " + least +
	    ", for a share of one percentage point, that is more than noise.");
	const worse = d.figures.filter(f => f.verdict === "worse").map(f =>
	    f.figure + " " + changeText(f.unit, f.base, f.run, f.change));
	const slower = d.urls.filter(u => u.verdict === "worse").map(u =>
	    u.name + " " + changeText("ms", u.base.p95, u.run.p95, u.change));
	const finding = d.worse ? ["bad", d.worse === 1 ?
	    "One figure is worse" : d.worse + " figures are worse",
	    [...worse, ...slower.slice(0, 3)].join("; ") + ". B is worse than " +
	    "A by at least " + least + "."] :
	    d.unknown ? ["warn", "Too little data to tell", "The runs are too " +
	    "short to tell a change from noise in " + (d.unknown === 1 ?
	    "one figure." : d.unknown + " figures.")] :
	    better ? ["good", "B is better", better + (better === 1 ?
	    " figure improved" : " figures improved") + " by at least " +
	    least + ", and none became worse."] : ["good", "No difference",
	    "No change of at least " + least + " is more than noise."];
	byId("verdict").replaceChildren(...[finding, ...warnings(d.base, d.run)]
	    .map(([level, title, text]) => el("li", { class: level },
	    el("i", { "aria-hidden": "true" }, level === "good" ? "✓" : "!"),
	    el("span", {}, el("b", {}, title), " – " + text))));
}

// Requests that only one of the runs has have no change.
function onlyIn(reports, i) {
	const key = r => r.name + "\n" + r.method;
	const others = new Set(reports[1 - i].requests.map(key));
	return reports[i].requests.filter(r => !others.has(key(r))).map(r => {
		const row = { name: r.name, method: r.method, change: null,
		    verdict: "only" + SIDES[i].toUpperCase() };
		SIDES.forEach((s, k) => Object.assign(row, { [s + "Count"]:
		    k === i ? r.count : null, [s + "Failed"]: k === i ? r.failed :
		    null, [s + "P95"]: k === i ? r.p95 : null }));
		return row;
	});
}

function showDiff(d, reports) {
	showAbout("a", d.base);
	showAbout("b", d.run);
	showVerdict(d);
	minEffect = d.min_effect;
	byId("figure-rows").replaceChildren(...d.figures.map(f =>
	    figureRow(f, d.crossed)));
	urlTable.set([...d.urls.map(u => ({ name: u.name, method: u.method,
	    aCount: u.base.count, bCount: u.run.count,
	    aFailed: u.base.failed, bFailed: u.run.failed,
	    aP95: u.base.p95, bP95: u.run.p95, change: u.change,
	    verdict: u.verdict })), ...onlyIn(reports, 0), ...onlyIn(reports, 1)]);
	byId("urls").hidden = urlTable.rows.length === 0;
}

const path = "/api/v1/runs/";

// What to say when one of these runs, or both, is not there.
async function missingText(ids) {
	const gone = await Promise.all(ids.map(id => getJson(path +
	    encodeURIComponent(id)).then(() => "", () => id)));
	return "There is no run " + (gone.filter(Boolean).join(" and no run ") ||
	    "of these any more") + ".";
}

async function load(isChosen) {
	const [a, b] = SIDES.map(s => byId("run-" + s).value);
	address.set({ a, b }, !isChosen);
	document.title = "Run " + a + " and " + b + " · k6serve";
	try {
		const d = await getJson(path + encodeURIComponent(b) +
		    "/diff?base=" + encodeURIComponent(a));
		const reports = await Promise.all([a, b].map(id =>
		    getJson(path + id + "/report")));
		const step = Math.max(...reports.map(r => r.step));
		byId("diff").hidden = false;
		setText("message", a === b ? "Choose two different runs." : "");
		showDiff(d, reports);
		showCharts(reports.every(r => r.step === step) ? reports :
		    await Promise.all([a, b].map(async (id, i) => ({ step,
		    series: await getJson(path + id + "/series?step=" + step),
		    run: reports[i].run }))));
	} catch (error) {
		byId("diff").hidden = true;
		setText("message", error.status === 404 || error.status === 400 ?
		    await missingText([a, b]) : error.message);
	}
}

// The number of the run that the address calls last, or last:NAME; else what
// it says.
async function wantedRun(side) {
	const wanted = address.get(side);
	if (!/^last(:|$)/.test(wanted || ""))
		return wanted;
	return getJson(path + encodeURIComponent(wanted)).then(
	    run => String(run.id), () => wanted);
}

async function begin() {
	themeButton();
	const runs = await getJson("/api/v1/runs?limit=1000");
	if (runs.length < 2) {
		setText("message", "There must be two runs to compare.");
		document.querySelector(".runs").hidden = true;
		return;
	}
	const all = await Promise.all(SIDES.map(wantedRun));
	SIDES.forEach((side, i) => {
		const select = byId("run-" + side);
		byId("key-" + side).style.background = "var(" + COLORS[side] +
		    ")";
		select.append(...runs.map(r => el("option", { value: r.id },
		    r.id + " · " + isolated(r.name) + " · " + time(r.start))));
		// one that is not in the list may be older, or gone
		const wanted = all[i];
		if (wanted && !runs.some(r => String(r.id) === wanted))
			select.append(el("option", { value: wanted },
			    "Run " + wanted));
		select.value = wanted || runs[1 - i].id;
		select.addEventListener("change", () => load(true));
	});
	if (!all[0] && all[1]) {
		const at = runs.findIndex(r => String(r.id) === all[1]);
		const isSame = r => r.name === runs[at]?.name && r !== runs[at];
		const other = runs.find(r => r.baseline && isSame(r)) ||
		    baselineOf(runs.slice(at + 1).filter(isSame)) ||
		    runs.slice(at + 1).find(isSame) || runs[at + 1] || runs[0];
		byId("run-a").value = other.id;
	}
	addEventListener("address", () => {
		for (const side of SIDES)
			byId("run-" + side).value = address.get(side);
		urlTable.recall();
		load();
	});
	await load();
}

begin().catch(error => setText("message", error.message));
