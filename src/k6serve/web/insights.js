// What stands out in a run, in plain words. Each rule looks at the report and
// gives [level, title, text] or nothing.
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
	const best = few.filter(s => s.vus >= most * 0.25);
	const before = best.length >= 2 ? best : few;
	const slow = weighed(many, medianOf), fast = weighed(before, medianOf);
	if (rate(many) > rate(before) * 1.2 || slow < fast * 1.3)
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
	const worst = report.errors[0];
	const what = !worst ? "" : " Most often: " + errorText(worst) + " (" +
	    plural(worst.count, "time") + ").";
	const parts = thirds(report.series);
	const of = part => sum(part, s => s.failed) / Math.max(1, sum(part,
	    s => s.http_reqs));
	if (parts && of(parts[1]) > 0.02 && of(parts[1]) > 2 * of(parts[0]))
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
	    "though the load did not grow. Something fills up or leaks."];
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
	if (lag && lag.p95 > 10 && lag.p95 > t.med * 0.1)
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
	    t.metric + ": " + t.source).join("; ")] : null;
}

function failedChecks(report) {
	const c = report.run.totals.checks;
	return c.fails ? ["warn", "Failed checks", count(c.fails) + " of " +
	    plural(c.count, "check") + " failed (" +
	    percent(c.fails, c.count) + ")."] : null;
}

function tooShort(report) {
	const n = report.run.totals.http_req_duration.count;
	return n > 0 && n < 200 && report.run.state !== "Running" ?
	    ["info", "Few requests", "With " + plural(n, "request") +
	    ", p99 is the time of " + (n === 1 ? "that one." : n < 100 ?
	    "one of them." : "two of them.")] :
	    null;
}

const RULES = [crossed, overload, throughputLimit, failures, failedChecks,
    slowerAndSlower, tooManyUrls, connections, tooShort];

function errorText(e) {
	const status = e.status && e.status !== "0" ? "HTTP " + e.status :
	    "no reply";
	return e.error ? (e.status && e.status !== "0" ? status + ", " : "") +
	    e.error : status;
}

function insights(report) {
	if (!report.run.totals.http_reqs)
		return [];
	const found = RULES.map(rule => rule(report)).filter(Boolean);
	return found.length ? found : [["good", "Nothing stands out",
	    "No failed request, no crossed threshold, and no sign that the " +
	    "system or the generator was at its limit."]];
}
