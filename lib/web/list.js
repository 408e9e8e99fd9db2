// The run list; asks again every two seconds while somebody looks.
"use strict";

function row(run) {
	const state = el("td", {}, el("span",
	    { class: stateClass(run.state) }, run.state));
	if (run.result_status)
		state.append(el("span", { class: "badge bad" },
		    "Threshold crossed"));
	const failed = run.totals.http_req_failed;
	return el("tr", {}, state,
	    el("th", { scope: "row" },
		el("a", { href: "/runs/" + run.id }, run.name)),
	    el("td", { class: "when" }, time(run.start)),
	    el("td", { class: "n" }, duration(run.duration)),
	    el("td", { class: "n" }, count(run.totals.http_reqs)),
	    el("td", { class: failed ? "n bad-text" : "n" }, count(failed)),
	    el("td", { class: "n" }, millis(run.totals.http_req_duration.p95)));
}

let shown = "";

async function load() {
	try {
		const runs = await getJson("/api/v1/runs");
		const text = JSON.stringify(runs);
		if (text !== shown) {
			byId("rows").replaceChildren(...runs.map(row));
			byId("list").hidden = runs.length === 0;
			setText("note", runs.length ? "" :
			    "No run yet. Send one: K6_CLOUD_HOST=" +
			    location.origin + " k6push < points.json");
			shown = text;
		}
	} catch (error) {
		setText("note", "The server does not answer (" +
		    error.message + "). Trying again.");
		shown = "";
	}
	if (!document.hidden)
		timer = setTimeout(load, 2000);
}

let timer = 0;
document.addEventListener("visibilitychange", () => {
	clearTimeout(timer);
	if (!document.hidden)
		load();
});
load();
