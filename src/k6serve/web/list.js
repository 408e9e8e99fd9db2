// The run list; asks again every two seconds while somebody looks.
"use strict";

const chosen = new Map();	// number -> run
let shown = "";
let timer = 0;
let limit = 200;	// runs asked for; the server has 10000 at most

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
	const th = el("th", { scope: "row" },
	    el("a", { href: "/runs/" + run.id }, run.name));
	if (run.note)
		th.append(el("div", { class: "soft small" }, run.note));
	return th;
}

function row(run) {
	const state = el("td", {}, ...verdictBadges(run),
	    badge(stateClass(run.state), run.state));
	const failed = run.totals.http_req_failed;
	return el("tr", {}, el("td", {}, chooseBox(run)), state, nameCell(run),
	    el("td", { class: "when" }, time(run.start)),
	    el("td", { class: "n" }, duration(run.duration)),
	    el("td", { class: "n" }, count(run.totals.http_reqs)),
	    el("td", { class: failed ? "n bad-text" : "n" }, failed ?
	    percent(failed, run.totals.http_reqs) : count(failed)),
	    el("td", { class: "n" }, millis(run.totals.http_req_duration.p95)));
}

function showChosen() {
	const n = chosen.size;
	byId("chosen").hidden = n === 0;
	setText("chosen-text", n === 2 ? "2 runs chosen" : n + " chosen" +
	    (n < 2 ? " (choose two to compare)" : ""));
	byId("compare").disabled = n !== 2;
}

function showList(runs, wanted) {
	byId("rows").replaceChildren(...runs.map(row));
	byId("list").hidden = runs.length === 0;
	byId("more").hidden = runs.length < limit;
	setText("more-text", "The newest " + count(limit) + ".");
	byId("welcome").hidden = runs.length !== 0 || wanted !== "";
	setText("message", runs.length || !wanted ? "" :
	    "No name or note holds “" + wanted + "”.");
}

async function load() {
	clearTimeout(timer);
	const wanted = byId("search").value.trim();
	try {
		const runs = await getJson("/api/v1/runs?limit=" + limit +
		    (wanted ? "&search=" + encodeURIComponent(wanted) : ""));
		const text = wanted + "\n" + JSON.stringify(runs);
		if (wanted === byId("search").value.trim() && text !== shown) {
			const at = document.activeElement;
			const href = at && at.getAttribute("href");
			showList(runs, wanted);
			shown = text;
			if (href && !at.isConnected)
				document.querySelector("#rows a[href='" +
				    CSS.escape(href) + "']")?.focus();
		}
	} catch (error) {
		setText("message", "The server does not answer (" +
		    error.message + "). Trying again.");
		shown = "";
	}
	if (!document.hidden)
		timer = setTimeout(load, 2000);
}

async function removeChosen() {
	const runs = [...chosen.values()];
	if (!await confirmed("Delete " + (runs.length === 1 ? "this run?" :
	    runs.length + " runs?"), runs.map(r => r.name).join(", ") +
	    ": all data will be deleted. This cannot be undone.", "Delete"))
		return;
	try {
		for (const run of runs) {
			await ask("DELETE", "/api/v1/runs/" + run.id);
			chosen.delete(run.id);
		}
	} catch (error) {
		setText("message", "Not deleted: " + error.message);
	}
	showChosen();
	load();
}

byId("commands").textContent = "k6gen -u 20 -d 30s https://test.example/ |\n" +
    "    k6agg -p 3s | K6_CLOUD_HOST=" + location.origin + " k6push\n\n" +
    "K6_CLOUD_HOST=" + location.origin + " K6_CLOUD_TOKEN=any \\\n" +
    "    k6 run --out cloud script.js\n\n" +
    "K6_CLOUD_HOST=" + location.origin + " k6push < results.json";
byId("search").addEventListener("input", load);
byId("more-button").addEventListener("click", () => {
	limit = Math.min(4 * limit, 10000);
	load();
});
byId("compare").addEventListener("click", () => {
	const [a, b] = [...chosen.keys()].sort((x, y) => x - y);
	location.href = "/compare?a=" + a + "&b=" + b;
});
byId("delete").addEventListener("click", removeChosen);
byId("clear").addEventListener("click", () => {
	chosen.clear();
	shown = "";
	showChosen();
	load();
});
document.addEventListener("visibilitychange", () => {
	if (!document.hidden)
		load();
});
themeButton();
load();
