// What all pages use. All text from a run goes through textContent.
"use strict";

const STATES = {
	"Running": ["live", "data is coming in"],
	"Finished": ["good", "the test ran to its end"],
	"Timed out": ["warn", "no data for longer than the server waits; " +
	    "more data would reopen the run"],
	"Aborted by User": ["warn", "stopped with Ctrl-C, or by the script"],
	"Aborted by System": ["bad", "the generator could not go on, or its " +
	    "data was cut short"],
	"Aborted by Script Error": ["bad", "the script failed"],
	"Aborted by Threshold": ["bad", "a threshold with abortOnFail was " +
	    "crossed"],
	"Aborted by Limit": ["bad", "a time limit was reached"],
};

function el(name, attributes, ...children) {
	const e = document.createElement(name);
	for (const [key, value] of Object.entries(attributes || {}))
		e.setAttribute(key, value);
	for (const child of children)
		e.append(typeof child === "number" ? String(child) : child);
	return e;
}

function byId(id) {
	return document.getElementById(id);
}

function setText(id, text) {
	const e = byId(id);
	if (e.textContent !== text)
		e.textContent = text;
}

async function ask(method, path, body) {
	const reply = await fetch(path, { method, body: body && JSON.stringify(body),
	    headers: body ? { "Content-Type": "application/json" } : {} });
	if (!reply.ok) {
		const told = await reply.json().catch(() => ({}));
		throw Object.assign(new Error(told.error ? told.error.message :
		    "HTTP " + reply.status), { status: reply.status });
	}
	return reply.json();
}

function getJson(path) {
	return ask("GET", path);
}

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });
const large = new Intl.NumberFormat("en-US", { notation: "compact",
    maximumSignificantDigits: 4 });

function count(n) {
	return n === null ? "–" : grouped.format(n);
}

// "1 request", "2 requests".
function plural(n, one) {
	return count(n) + " " + one + (n === 1 ? "" : "s");
}

function number(n) {
	if (n === null || n === undefined || Number.isNaN(n))
		return "–";
	return Math.abs(n) >= 1e15 ? n.toExponential(2) : Math.abs(n) >= 1e9 ? large.format(n) :
	    Math.abs(n) >= 1000 ? grouped.format(n) : fine.format(n);
}

// Milliseconds, with the unit that reads best.
function millis(ms) {
	if (ms === null || ms === undefined)
		return "–";
	return ms >= 10000 ? number(ms / 1000) + " s" : number(ms) + " ms";
}

function bytes(n) {
	if (n === null)
		return "–";
	const units = ["B", "kB", "MB", "GB", "TB"];
	let i = 0;
	for (; n >= 1000 && i < units.length - 1; i++)
		n /= 1000;
	return number(n) + " " + units[i];
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

// Text that is read from the right does not turn what stands beside it.
function isolated(text) {
	return RIGHT_TO_LEFT.test(text) ? "\u2068" + text + "\u2069" : text;
}

// With places to break at: a long URL has no blank. The parts of a URL keep
// their order, in whatever script they are.
function breakable(text) {
	if (typeof text !== "string")
		return [text];
	const isTurned = RIGHT_TO_LEFT.test(text);
	const isUrl = isTurned && /^\w+:\/\//.test(text);
	const parts = text.split(isUrl ? /(?<=[/?&,=])/ :
	    /(?<=[/?&,])/).flatMap((part, i) => {
		const one = isUrl ? el("bdi", { dir: "ltr" }, part) : part;
		return i ? [el("wbr"), one] : [one];
	});
	return isTurned && !isUrl ? [el("bdi", {}, ...parts)] : parts;
}

function duration(seconds) {
	if (seconds === null)
		return "–";
	const s = Math.round(seconds);
	if (seconds > 0 && seconds < 1)
		return millis(seconds * 1000);
	if (s < 60)
		return (seconds < 10 ? fine.format(seconds) : s) + " s";
	if (s < 3600)
		return Math.floor(s / 60) + "m " + s % 60 + "s";
	return Math.floor(s / 3600) + "h " + Math.floor(s % 3600 / 60) + "m";
}

function percent(part, whole) {
	if (!whole)
		return "–";
	const p = 100 * part / whole;
	return (p !== 0 && p < 0.1 ? "< 0.1" : p > 99.9 && p < 100 ?
	    "> 99.9" : fine.format(p)) + " %";
}

function time(text) {
	return new Date(text).toLocaleString(undefined,
	    { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
}

// What the page's address keeps of how one looks: words behind its "?". An
// exported file has an address that cannot be changed, and keeps them itself.
const address = {
	words: new URLSearchParams(location.protocol === "file:" ? "" :
	    location.search),
	get(word) {
		return this.words.get(word);
	},
	all(word) {
		return this.words.getAll(word);
	},
	// null: without it. While somebody types, there is one step back.
	set(values, isTyping) {
		const before = this.words.toString();
		for (const [word, value] of Object.entries(values)) {
			this.words.delete(word);
			for (const one of Array.isArray(value) ? value : [value])
				if (one !== null && one !== "")
					this.words.append(word, one);
		}
		const after = this.words.toString();
		if (after === before || location.protocol === "file:")
			return;
		history[isTyping ? "replaceState" : "pushState"](null, "",
		    location.pathname + (after ? "?" + after : "") +
		    location.hash);
	},
};

addEventListener("popstate", () => {
	address.words = new URLSearchParams(location.search);
	dispatchEvent(new Event("address"));
});

// The zone that all times of day here are in.
function zone() {
	const minutes = -new Date().getTimezoneOffset();
	const name = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
	const hours = Math.floor(Math.abs(minutes) / 60);
	const rest = Math.abs(minutes) % 60;
	const offset = minutes === 0 ? "UTC" : "UTC" + (minutes < 0 ? "−" :
	    "+") + hours + (rest ? ":" + String(rest).padStart(2, "0") : "");
	return name && name !== "UTC" ? name + ", " + offset : offset;
}

function clockText(ms) {
	return new Date(ms).toLocaleTimeString("en-GB");
}

// What a run came to, by its thresholds; while it goes on, and none is
// crossed, nothing yet.
const VERDICTS = {
	passed: ["good", "Passed"],
	failed: ["bad", "Failed"],
	none: ["", "No criteria"],
	unknown: ["warn", "Not known"],
};

function badge(kind, text) {
	return el("span", { class: "badge " + kind }, text);
}

function verdictBadges(run) {
	const verdict = VERDICTS[run.verdict];
	return verdict ? [badge(verdict[0], verdict[1])] : [];
}

// Choose a run as the baseline of its name, or no longer. after: called when it
// is stored, and the button may be a new one.
function starButton(run, isStar, text, after) {
	const button = el("button", { type: "button", class: "link star",
	    "aria-pressed": String(run.baseline), "data-star": run.id,
	    title: run.baseline ? "The baseline of this name. Press to have " +
	    "none" : (isStar ? "The last run of this name that did not fail: the " +
	    "next one is compared with it. " : "") + "Press to make this run " +
	    "the baseline of its name", "aria-label": "Run " + run.id +
	    " is the baseline" }, (run.baseline || isStar ? "★" : "☆") + text);
	button.addEventListener("click", async () => {
		button.disabled = true;
		try {
			await ask("PATCH", "/api/v1/runs/" + run.id,
			    { baseline: !run.baseline });
			await after();
		} catch (error) {
			setText("message", "The baseline is not changed: " +
			    error.message);
		}
		button.disabled = false;
		document.querySelector(`[data-star="${run.id}"]`)?.focus();
	});
	return button;
}

// What the next run of a name is compared with: the baseline, or the last run
// that did not fail. Runs of one name, the newest first.
function baselineOf(runs) {
	return runs.find(r => r.baseline) || runs.find(r =>
	    r.state === "Finished" && ["passed", "none"].includes(r.verdict) &&
	    r.points > 0);
}

// The state is not the verdict: grey, but for a run that goes on.
function stateClass(state) {
	return state === "Running" ? "live" : "";
}

// Ask before something that cannot be undone. True: yes.
function confirmed(title, text, yes) {
	const no = el("button", { type: "button" }, "Cancel");
	const go = el("button", { type: "button", class: "danger" }, yes);
	const box = el("dialog", { "aria-labelledby": "dialog-title" },
	    el("h2", { id: "dialog-title" }, title), el("p", {}, text),
	    el("div", { class: "actions" }, no, go));
	document.body.append(box);
	return new Promise(done => {
		no.addEventListener("click", () => box.close());
		go.addEventListener("click", () => box.close("yes"));
		box.addEventListener("close", () => {
			box.remove();
			done(box.returnValue === "yes");
		});
		box.showModal();
	});
}

// The theme is the system's until somebody chooses.
function applyTheme(theme) {
	if (theme)
		document.documentElement.dataset.theme = theme;
	else
		delete document.documentElement.dataset.theme;
}

function isDark() {
	return (document.documentElement.dataset.theme || (matchMedia(
	    "(prefers-color-scheme: dark)").matches ? "dark" : "")) === "dark";
}

function themeButton() {
	const button = byId("theme");
	button.addEventListener("click", () => {
		const theme = isDark() ? "light" : "dark";
		applyTheme(theme);
		try {
			localStorage.setItem("theme", theme);
		} catch {
			// not kept, then
		}
		dispatchEvent(new Event("theme"));
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change",
	    () => dispatchEvent(new Event("theme")));
}

try {
	applyTheme(localStorage.getItem("theme"));
} catch {
	applyTheme(null);
}
