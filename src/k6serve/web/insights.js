// What stands out in a run, in plain words. Each rule looks at the report and
// gives [level, title, text] or nothing; with [from, to] in seconds if it is
// about a part of the run, and "urls" if it should tell which were slower then;
// or an array of these.
"use strict";

function sum(rows, of) {
	return rows.reduce((all, r) => all + (of(r) || 0), 0);
}

// A mean over steps, each weighed by its requests.
function weighed(rows, of) {
	const some = rows.filter(r => of(r) !== null && of(r) !== undefined);
	const n = sum(some, r => r.http_reqs);
	return n ? sum(some, r => of(r) * r.http_reqs) / n : null;
}

function thirds(rows) {
	const n = Math.floor(rows.length / 3);
	return n < 2 ? null : [rows.slice(0, n), rows.slice(-n)];
}

function p95Of(row) {
	return row.http_req_duration.p95;
}

function medianOf(row) {
	return row.http_req_duration.p50;
}

// More users, no more throughput, longer waiting.
function throughputLimit(report) {
	const rows = report.series.filter(s => s.vus > 0 && s.http_reqs > 0);
	const most = Math.max(...rows.map(s => s.vus));
	const few = rows.filter(s => s.vus <= most * 0.5);
	const many = rows.filter(s => s.vus >= most * 0.8);
	if (few.length < 3 || many.length < 3)
		return null;
	const rate = part => sum(part, s => s.http_reqs) / part.length /
	    report.step;
	// As many requests with few users: the rate is set, and users wait.
	const least = rows.filter(s => s.vus <= most * 0.15);
	if (least.length && rate(least) > rate(many) * 0.8)
		return null;
	const best = few.filter(s => s.vus >= most * 0.25);
	const before = best.length >= 2 ? best : few;
	const slow = weighed(many, medianOf), fast = weighed(before, medianOf);
	if (rate(many) > rate(before) * 1.2 || slow === null ||
	    fast === null || slow < fast * 1.3)
		return null;
	return ["bad", "Throughput limit",
	    "With " + number(Math.max(...before.map(s => s.vus))) +
	    " virtual users there were " + number(rate(before)) +
	    " requests/s, with " + number(most) + " only " +
	    number(rate(many)) + ", while the median response time went from " +
	    millis(fast) + " to " + millis(slow) + ". More users do not bring " +
	    "more throughput: the system under test, or the generator, is at " +
	    "its limit."];
}

function failures(report) {
	const t = report.run.totals;
	const share = t.http_req_failed / t.http_reqs;
	if (!t.http_req_failed)
		return null;
	const kinds = new Map();
	for (const e of report.errors)
		kinds.set(errorText(e), (kinds.get(errorText(e)) || 0) + e.count);
	const worst = [...kinds].sort((a, b) => b[1] - a[1])[0];
	const what = !worst ? "" : " Most often: " + worst[0] + " (" +
	    plural(worst[1], "time") + ").";
	const parts = thirds(report.series);
	const of = part => sum(part, s => s.failed) / Math.max(1, sum(part,
	    s => s.http_reqs));
	const last = report.series.slice(-Math.ceil(report.series.length / 10));
	if (parts && of(parts[1]) > 0.02 && of(last) > 0.02 &&
	    of(parts[1]) > 2 * of(parts[0]))
		return ["bad", "Rising failures", "In the first third of the " +
		    "run " + percent(of(parts[0]), 1) + " of the requests " +
		    "failed, in the last " + percent(of(parts[1]), 1) + "." +
		    what];
	return [share >= 0.01 ? "bad" : "warn", "Failed requests",
	    count(t.http_req_failed) + " of " +
	    plural(t.http_reqs, "request") + " (" + percent(share, 1) +
	    ") failed." + what];
}

function slowerAndSlower(report) {
	const parts = thirds(report.series.filter(s => s.http_reqs > 0));
	if (!parts)
		return null;
	const [a, b] = parts.map(p => weighed(p, p95Of));
	const [few, many] = parts.map(p => sum(p, s => s.vus) / p.length);
	const [low, high] = parts.map(p => sum(p, s => s.http_reqs));
	if (!few || many > few * 1.1 || high > low * 1.1 || b < a * 1.5 ||
	    b - a < 1)
		return null;
	return ["warn", "Slower with time", "p95 went from " + millis(a) +
	    " in the first third of the run to " + millis(b) + " in the last, " +
	    "though the load did not grow. A resource may fill up or leak."];
}

function tooManyUrls(report) {
	const n = new Set(report.urls.map(u => u.name)).size;
	const isCut = report.urls.length >= report.most_urls;
	if (!report.run.overflow && n < 300)
		return null;
	return ["warn", "Too many URLs", (isCut ? "More than " : "") +
	    plural(n, "different name") + ": the tables are long, and each " +
	    "percentile is that of few requests. Give requests of one kind " +
	    "one name: the tag “name” in k6, --name in k6gen, --group in " +
	    "k6agg." + (report.run.overflow ? " Past the server's limit, " +
	    plural(report.run.overflow, "value") +
	    " went to the name __other__." : "")];
}

// Parts of a run where something is much higher than in the rest: of rows with
// a value, those above `least` and `factor` times the lower quartile, two steps
// or more, with holes of one step. [[first, last]] by index, the largest first.
function highParts(values, factor, least) {
	const some = values.filter(v => v !== null).sort((a, b) => a - b);
	if (some.length < 8)
		return [];
	const usual = some[Math.floor(some.length / 4)];
	const parts = [];
	values.forEach((v, i) => {
		if (v === null || v <= usual * factor || v - usual <= least)
			return;
		const last = parts[parts.length - 1];
		if (last && i - last[1] <= 2)
			last[1] = i;
		else
			parts.push([i, i]);
	});
	const area = p => values.slice(p[0], p[1] + 1).reduce((a, b) =>
	    a + (b || 0) - usual, 0);
	return parts.filter(p => p[1] > p[0]).sort((a, b) => area(b) - area(a));
}

// The rows of a part, those around it, and its time in seconds.
function partOf(report, rows, [first, last]) {
	return { inside: rows.slice(first, last + 1), outside: [
	    ...rows.slice(0, first), ...rows.slice(last + 1)],
	    range: [rows[first].t, rows[last].t + report.step] };
}

function whenText(report, range, isToEnd) {
	return "from " + clockText(range[0] * 1000) + (isToEnd ?
	    " to the end" : " for " + duration(range[1] - range[0]));
}

// Steps and bursts of the response time.
function slowParts(report) {
	const rows = report.series.filter(s => s.http_reqs > 0);
	const parts = highParts(rows.map(p95Of), 1.8, 5);
	return parts.slice(0, 2).map(p => {
		const part = partOf(report, rows, p);
		const before = weighed(part.outside, p95Of);
		const vus = [part.outside, part.inside].map(r => sum(r,
		    s => s.vus) / r.length);
		const isToEnd = p[1] === rows.length - 1;
		if (!part.outside.length || (isToEnd &&
		    report.run.state === "Running" && p[1] - p[0] < 3))
			return null;
		return ["warn", "Slow " + (isToEnd ? "until the end" :
		    "for a time"),
		    "p95 " + millis(before) + " → " + millis(weighed(part.inside,
		    p95Of)) + " " + whenText(report, part.range, isToEnd) +
		    (vus[1] > vus[0] * 1.3 ? ", with " + count(vus[1]) +
		    " virtual users instead of " + count(vus[0]) : ""),
		    part.range, "urls"];
	}).filter(Boolean);
}

// Bursts of failures.
function failedParts(report) {
	const rows = report.series.filter(s => s.http_reqs > 0);
	const share = s => s.failed === null ? null : s.failed / s.http_reqs;
	return highParts(rows.map(share), 4, 0.05).slice(0, 2).map(p => {
		const part = partOf(report, rows, p);
		const n = sum(part.inside, s => s.failed);
		return ["bad", "A burst of failures", plural(n, "request") +
		    " failed, " + percent(n, sum(part.inside,
		    s => s.http_reqs)) + ", " + whenText(report, part.range,
		    p[1] === rows.length - 1), part.range];
	});
}

// Times without any request between others.
function pauses(report) {
	const rows = report.series.filter(s => s.http_reqs > 0);
	let worst = null;
	rows.forEach((s, i) => {
		const gap = i && s.t - rows[i - 1].t - report.step;
		if (gap >= 3 * report.step && (!worst || gap > worst[1] -
		    worst[0]))
			worst = [rows[i - 1].t + report.step, s.t];
	});
	return worst ? ["warn", "No requests", "for " + duration(worst[1] -
	    worst[0]) + " " + whenText(report, worst, false).replace(/ for .*/,
	    ""), worst] : null;
}

// Which URLs were slower in a part than before and after it, of those that both
// have: in words, "" if that tells nothing.
function slowerUrls(inside, whole) {
	const before = new Map(whole.map(r => [r.method + " " + r.name, r]));
	const usual = r => before.get(r.method + " " + r.name)?.p50 ?? null;
	const both = inside.filter(r => r.count >= 5 && r.p50 !== null &&
	    usual(r) !== null);
	const isSlower = r => r.p50 > 1.4 * usual(r);
	const slower = both.filter(isSlower), others = both.filter(
	    r => !isSlower(r));
	const names = rows => rows.map(r => r.name.replace(
	    /^https?:\/\/[^/]*(?=\/.)/, "")).join(", ");
	if (both.length < 2 || slower.length === 0)
		return "";
	return others.length === 0 ? "all URLs" : others.length <= 2 ?
	    "all URLs but " + names(others) : slower.length <= 3 ?
	    "only " + names(slower) : slower.length + " of " +
	    plural(both.length, "URL");
}

function metric(report, name) {
	return report.metrics.find(m => m.metric === name);
}

function overload(report) {
	const dropped = metric(report, "dropped_iterations");
	const cpu = metric(report, "generator_cpu");
	const lag = metric(report, "schedule_lag") ||
	    metric(report, "generator_lag");
	const t = report.run.totals.http_req_duration;
	const reasons = [];
	if (dropped && dropped.sum > 0)
		reasons.push(plural(dropped.sum, "iteration") +
		    " could not be started in time");
	if (cpu && (cpu.p95 || cpu.max) > 90)
		reasons.push("it used up to " + number(cpu.max) +
		    " % of its processor");
	if (lag && lag.count >= 10 && lag.p95 > 10 && lag.p95 > t.p50 * 0.1)
		reasons.push("requests began late, by " + millis(lag.p95) +
		    " (p95)");
	const blocked = metric(report, "http_req_blocked");
	const connecting = metric(report, "http_req_connecting");
	const tls = metric(report, "http_req_tls_handshaking");
	if (blocked && connecting && t.count > 100 && blocked.avg -
	    connecting.avg - (tls ? tls.avg : 0) > Math.max(1, t.avg * 0.2))
		reasons.push("requests waited " + millis(blocked.avg) +
		    " on average for a free connection");
	return reasons.length ? ["bad", "Generator overload",
	    "The generator itself was a limit: " + reasons.join("; ") +
	    ". The figures may tell more about it than about the system " +
	    "under test."] : null;
}

function connections(report) {
	const m = metric(report, "http_req_connecting");
	const part = m && m.type === "trend" && m.p50 > 0;
	return part && m.count > 100 ? ["info", "A connection for each request",
	    "At least every second request opened a new connection (" +
	    millis(m.p50) + " in the median). Check that keep-alive is on."] :
	    null;
}

function crossed(report) {
	const bad = report.run.thresholds.filter(t => t.failed);
	return bad.length ? ["bad", "Thresholds crossed", bad.map(t =>
	    t.metric + ": " + t.source + (t.value === null ? "" : ", was " +
	    number(t.value)) + (t.crossed ? ", first crossed at " +
	    clockText(Date.parse(t.crossed)) : "")).join("; ")] : null;
}

function failedChecks(report) {
	const c = report.run.totals.checks;
	return c.fails ? ["warn", "Failed checks", count(c.fails) + " of " +
	    plural(c.count, "check") + " failed (" +
	    percent(c.fails, c.count) + ")."] : null;
}

function tooShort(report) {
	const { count: n, p99 } = report.run.totals.http_req_duration;
	return p99 !== null && n < 200 && report.run.state !== "Running" ?
	    ["info", "Few requests", "With " + plural(n, "request") +
	    ", p99 is the time of " + (n === 1 ? "that one." : n < 100 ?
	    "one of them." : "two of them.")] :
	    null;
}

// Nothing was found, as far as can be told.
function calm(report) {
	const { state, thresholds, totals } = report.run;
	const unknown = [...totals.http_req_failed === null ?
	    ["which requests failed"] : [], ...thresholds.some(
	    t => t.failed === null) && state !== "Running" ?
	    ["whether all thresholds were kept"] : []];
	const isWhole = ["Finished", "Running"].includes(state);
	return [isWhole && !unknown.length ? "good" : "info",
	    (state === "Running" ? "So far nothing" : "Nothing") +
	    " stands out", (isWhole ? "" : "The run did not end as planned (" +
	    state + "). In what it has: ") + (unknown.length ? "It is not " +
	    "known " + unknown.join(" and ") + ". No" : "No failed request, " +
	    "no crossed threshold, and no") + " sign that the system or the " +
	    "generator was at its limit."];
}

const RULES = [crossed, overload, throughputLimit, failures, failedParts,
    failedChecks, slowParts, slowerAndSlower, pauses, tooManyUrls, connections,
    tooShort];

function errorText(e) {
	const status = e.status && e.status !== "0" ? "HTTP " + e.status :
	    "no reply";
	return e.error ? (e.status && e.status !== "0" ? status + ", " : "") +
	    isolated(e.error) : status;
}

function insights(report) {
	if (!report.run.totals.http_reqs)
		return [];
	const found = RULES.flatMap(rule => {
		const one = rule(report);
		return !one || !one.length ? [] : Array.isArray(one[0]) ? one :
		    [one];
	});
	return found.length ? found : [calm(report)];
}
