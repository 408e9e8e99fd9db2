// Charts over time and distributions, drawn by dygraphs.
"use strict";

// dygraphs' own legend writes HTML with inline styles, which the page's
// security policy refuses; ours is below.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter(p => p !== Dygraph.Plugins.Legend);

const probe = document.createElement("span");

// A colour of the page's style, as a canvas understands it.
function color(name) {
	if (!probe.isConnected) {
		probe.hidden = true;
		document.body.append(probe);
	}
	probe.style.color = "var(" + name + ")";
	return getComputedStyle(probe).color;
}

// A time on the axis; days are told where they change.
function clock(date, granularity) {
	if (granularity >= Dygraph.DAILY)
		return date.toLocaleDateString(undefined,
		    { month: "short", day: "numeric" });
	return date.getMilliseconds() ? "" : date.toLocaleTimeString("en-GB",
	    granularity >= Dygraph.MINUTELY ? { hour: "2-digit",
	    minute: "2-digit" } : {});
}

// A number that the room of an axis has place for.
function axisNumber(v) {
	return Math.abs(v) >= 1e5 ? large.format(v) : number(v);
}

// The seconds of a step that are inside the run: its first and last one are
// cut, and so is their rate.
function coveredOf(run, s, step) {
	const from = Math.max(s.t, Date.parse(run.start) / 1000 || 0);
	const end = run.end ? Date.parse(run.end) / 1000 : Infinity;
	const seconds = Math.min(s.t + step, end) - from;
	return seconds >= step / 4 ? Math.min(step, seconds) : step;
}

const allCharts = new Set();

// What the charts of a page share: the part of the time that all show, in ms,
// [] for all of it; who is told when somebody chooses another; the steps at the
// edges that have only some of their data, as [from, to] in ms.
const shared = { range: [], choose: null, edges: [] };

// A chart in a figure of its own. lines: [{ label, color, unit }]. Options:
// title, size ("low", "tall"), fill, stacked, group (charts that share the
// time), noTimes, format(value), onClick(row), hasRoom: below 0, for large
// points.
function Chart(options) {
	this.options = options;
	this.format = options.format || number;
	this.legend = el("span", { class: "legend" });
	this.at = -1;
	this.anchor = -1;	// a part from there to at is marked by keys
	this.moment = el("span", { class: "moment" });
	this.area = el("div", { class: "chart " + (options.size || ""),
	    role: "img", tabindex: "0" });
	this.cross = el("div", { class: "cross" });
	this.picked = el("div", { class: "picked" });
	this.frame = el("div", { class: "frame" }, this.area, this.cross,
	    this.picked);
	this.element = el("figure", { class: "plot" }, el("figcaption", {},
	    el("b", {}, options.title), this.legend), this.frame);
	this.rows = [];
	this.lines = [];
	this.hidden = new Set();	// labels of lines that are switched off
	this.limits = [];		// [{ value, label }]
	this.area.addEventListener("keydown", event => this.key(event));
	this.area.addEventListener("blur", () => {
		this.mark(-1);
		this.point(-1);
	});
	this.listen();
	allCharts.add(this);
}

// The legend keeps its elements, so that a switch keeps the focus.
Chart.prototype.makeLegend = function () {
	const labels = JSON.stringify(this.lines.map(l => l.label));
	if (labels === this.labels) {
		this.lines.forEach((line, i) => {
			this.marks[i].style.background = color(line.color);
		});
		return;
	}
	this.labels = labels;
	this.values = this.lines.map(() => el("b"));
	this.marks = this.lines.map(() => el("i"));
	this.legend.replaceChildren(this.moment, ...this.lines.map((line, i) => {
		this.marks[i].style.background = color(line.color);
		const button = el("button", { type: "button", class: "line",
		    "aria-pressed": String(!this.hidden.has(line.label)),
		    title: "Show or hide this line" }, this.marks[i],
		    line.label + " ", this.values[i]);
		button.addEventListener("click", () => {
			if (!this.hidden.delete(line.label))
				this.hidden.add(line.label);
			button.setAttribute("aria-pressed",
			    String(!this.hidden.has(line.label)));
			this.draw(this.rows, this.lines);
		});
		return button;
	}));
};

Chart.prototype.showLegend = function (at) {
	const row = this.rows[at] || null;
	this.values.forEach((b, i) => {
		b.textContent = row ? this.format(row[i + 1]) : "";
	});
	this.moment.textContent = !row ? "" : this.options.at ?
	    this.options.at(row[0]) : row[0] instanceof Date ?
	    clockText(+row[0]) : "";
};

Chart.prototype.describe = function () {
	const parts = this.lines.map((line, i) => {
		const values = this.rows.map(r => r[i + 1])
		    .filter(v => v !== null && v !== undefined);
		return values.length ? line.label + ": last " + this.format(
		    values[values.length - 1]) + ", highest " + this.format(
		    values.reduce((a, b) => Math.max(a, b))) :
		    line.label + ": none";
	});
	this.area.setAttribute("aria-label", this.options.title + ". " +
	    [...parts, ...this.limits.map(l => "limit " + l.label)].join("; ") +
	    ". Arrow keys step through the values" + (shared.choose &&
	    this.options.group ? "; with Shift they mark a part, which Enter " +
	    "shows, and Escape shows all." : "."));
};

// Mark a row in this chart, and the same time in its group; -1: none.
Chart.prototype.point = function (at, isFollower) {
	this.at = at;
	if (!this.graph)
		return;
	this.showLegend(at);
	if (at < 0)
		this.graph.clearSelection();
	else
		this.graph.setSelection(at);
	const x = at < 0 ? NaN : +this.rows[at][0];
	this.cross.hidden = at < 0;
	if (at >= 0)
		this.cross.style.left = this.graph.toDomXCoord(x) + "px";
	if (isFollower || !this.options.group)
		return;
	for (const other of allCharts)
		if (other !== this && other.options.group === this.options.group)
			other.point(other.rows.findIndex(r => +r[0] === x), true);
};

Chart.prototype.key = function (event) {
	const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
	const n = this.rows.length;
	if (event.key === "Escape" && shared.choose && this.options.group)
		shared.choose([]);
	if (event.key === "Enter" && this.options.onClick && this.at >= 0)
		this.options.onClick(this.at);
	if (event.key === "Enter" && this.anchor >= 0)
		this.chooseMarked();
	if (!step || !n)
		return;
	event.preventDefault();
	this.legend.setAttribute("aria-live", "polite");
	const at = this.at >= 0 ? this.at + step : step < 0 ? n - 1 : 0;
	const before = this.at;
	this.point(Math.min(n - 1, Math.max(0, at)));
	this.mark(!event.shiftKey || !shared.choose || !this.options.group ?
	    -1 : this.anchor >= 0 ? this.anchor : before >= 0 ? before : this.at);
};

// Mark the part from a row to the one that is pointed at; -1: none.
Chart.prototype.mark = function (anchor) {
	this.anchor = anchor;
	this.picked.hidden = anchor < 0;
	if (anchor < 0)
		return;
	const [from, to] = [anchor, this.at].map(
	    i => this.graph.toDomXCoord(+this.rows[i][0]));
	this.picked.style.left = Math.min(from, to) + "px";
	this.picked.style.width = Math.abs(to - from) + "px";
};

// The steps of both ends are part of it.
Chart.prototype.chooseMarked = function () {
	const [from, to] = [this.anchor, this.at].sort((a, b) => a - b);
	const x = i => +this.rows[i][0];
	this.mark(-1);
	if (to > from)
		shared.choose([x(from), x(to) + Math.min(x(from + 1) - x(from),
		    x(to) - x(to - 1))]);
};

// The row nearest to a place in the area, in pixels.
Chart.prototype.nearest = function (px) {
	const x = this.graph.toDataXCoord(px);
	let best = -1;
	this.rows.forEach((row, i) => {
		if (best < 0 || Math.abs(row[0] - x) <
		    Math.abs(this.rows[best][0] - x))
			best = i;
	});
	return best;
};

// A mouse that is drawn across chooses a part of the time; a finger only
// points, and scrolls the page when it goes up or down.
Chart.prototype.listen = function () {
	let from = null;
	const place = event => event.clientX -
	    this.area.getBoundingClientRect().left;
	this.area.addEventListener("pointerdown", event => {
		if (!this.graph)
			return;
		if (event.pointerType !== "mouse") {
			this.point(this.nearest(place(event)));
		} else if (event.button === 0 && shared.choose &&
		    this.options.group) {
			from = place(event);
			this.area.setPointerCapture(event.pointerId);
		}
	});
	this.area.addEventListener("pointermove", event => {
		const at = place(event);
		if (this.graph && event.pointerType !== "mouse")
			this.point(this.nearest(at));
		this.picked.hidden = from === null;
		if (from === null)
			return;
		this.picked.style.left = Math.min(from, at) + "px";
		this.picked.style.width = Math.abs(at - from) + "px";
	});
	this.area.addEventListener("pointerup", event => {
		const at = place(event), began = from;
		from = null;
		this.picked.hidden = true;
		if (began !== null && Math.abs(at - began) > 6)
			shared.choose([began, at].sort((a, b) => a - b).map(
			    px => this.graph.toDataXCoord(px)));
		else if (this.options.onClick && this.graph)
			this.options.onClick(this.nearest(at));
	});
	this.area.addEventListener("dblclick", () => {
		if (shared.choose && this.options.group)
			shared.choose([]);
	});
	this.cross.hidden = this.picked.hidden = true;
};

// Below the lines: the edges that are not whole, and the limits.
Chart.prototype.under = function (c, area, graph) {
	if (this.options.group && this.rows[0] &&
	    this.rows[0][0] instanceof Date) {
		c.fillStyle = color("--line");
		for (const [from, to] of shared.edges) {
			const left = Math.max(area.x, graph.toDomXCoord(from));
			const right = Math.min(area.x + area.w,
			    graph.toDomXCoord(to));
			if (right > left)
				c.fillRect(left, area.y, right - left, area.h);
		}
	}
	let last = null;	// label, so that the next is not over it
	for (const limit of this.limits) {
		const y = graph.toDomYCoord(limit.value);
		if (y < area.y || y > area.y + area.h)
			continue;
		c.save();
		c.strokeStyle = c.fillStyle = color(limit.isCrossed ? "--bad" :
		    "--soft");
		c.setLineDash([6, 4]);
		c.beginPath();
		c.moveTo(area.x, y);
		c.lineTo(area.x + area.w, y);
		c.stroke();
		c.font = "12px sans-serif";
		const base = y - 4 < area.y + 10 ? y + 13 : y - 4;
		const left = last && Math.abs(last.base - base) < 13 ?
		    last.right + 8 : area.x + 4;
		c.fillText(limit.label, left, base);
		last = { base, right: left + c.measureText(limit.label).width };
		c.restore();
	}
};

// From 0 to what is highest; a limit that is near is shown, too, and each where
// all values are 0.
Chart.prototype.heights = function () {
	let highest = 0, lowest = 0;
	for (const row of this.rows)
		this.lines.forEach((line, i) => {
			if (this.hidden.has(line.label))
				return;
			highest = Math.max(highest, row[i + 1] || 0);
			lowest = Math.min(lowest, row[i + 1] || 0);
		});
	const near = this.limits.map(l => l.value).filter(v =>
	    v > highest * 0.97 && (v <= 3 * highest || highest === 0));
	const room = this.options.hasRoom ? 0.1 : 0;
	return lowest < 0 || (highest === 0 && !near.length) ? null :
	    near.length ? [0, Math.max(...near) * 1.15] :
	    [-room * highest, highest * (1.08 + room)];
};

Chart.prototype.graphOptions = function () {
	const o = this.options, rows = this.rows, lines = this.lines;
	const grid = color("--line");
	return Object.assign({
		// Ours are in the legend: dygraphs has objects with them as keys,
		// and "__proto__" or a label that comes twice breaks it.
		labels: ["x", ...lines.map((l, i) => "y" + i)],
		visibility: lines.map(l => !this.hidden.has(l.label)),
		colors: lines.map(l => color(l.color)), gridLineColor: grid,
		axisLineColor: grid, drawPoints: rows.length < 4, pointSize: 3,
		strokeWidth: 1.6, includeZero: true, highlightCircleSize: 3.5,
		xRangePad: 4, fillGraph: !!(o.fill || o.stacked),
		fillAlpha: o.stacked ? 0.55 : 0.13, stackedGraph: !!o.stacked,
		stepPlot: !!o.step, connectSeparatedPoints: !!o.step,
		animatedZooms: false, rightGap: 8, interactionModel: {},
		valueRange: o.stacked ? null : this.heights(),
		underlayCallback: (c, area, g) => this.under(c, area, g),
		axes: {
			y: { axisLabelWidth: 46, pixelsPerLabel: o.size ===
			    "low" ? 22 : 34,
			    axisLabelFormatter: v => o.format ? o.format(v) :
			    axisNumber(v) },
			x: { pixelsPerLabel: 90, drawAxis: !o.noTimes,
			    axisLabelFormatter: clock },
		},
		highlightCallback: (event, x, points, at) => {
			if (event)
				this.point(at);
		},
		unhighlightCallback: () => {
			if (this.at >= 0)
				this.point(-1);
		},
	}, o.graph);
};

// What of the time is shown: one point stands in the middle, and not on the
// edge.
Chart.prototype.window = function () {
	const rows = this.rows;
	if (this.options.group && rows[0][0] instanceof Date &&
	    shared.range.length)
		return shared.range;
	const x = +rows[0][0], span = rows[0][0] instanceof Date ? 1e3 : 1;
	return rows.length === 1 ? [x - span, x + span] : null;
};

Chart.prototype.draw = function (rows, lines) {
	const x = this.at >= 0 && this.rows[this.at] ? +this.rows[this.at][0] :
	    null;
	this.rows = rows;
	this.lines = lines;
	this.describe();
	this.makeLegend();
	if (rows.length === 0 || !this.area.isConnected || this.element.hidden)
		return;
	const options = this.graphOptions();
	options.dateWindow = this.window();
	if (this.graph)
		this.graph.updateOptions(Object.assign({ file: rows }, options));
	else
		this.graph = new Dygraph(this.area, rows, options);
	this.frame.append(this.cross, this.picked);
	// who points there, points there still
	this.point(x === null ? -1 : rows.findIndex(r => +r[0] === x), true);
	this.mark(this.at >= 0 && this.anchor < rows.length ? this.anchor : -1);
};

function redrawCharts() {
	for (const chart of allCharts)
		if (chart.lines.length && chart.element.isConnected)
			chart.draw(chart.rows, chart.lines);
}

addEventListener("theme", redrawCharts);

// A canvas does not shrink to the paper: it is drawn again, for its width.
function fitToPaper(isPaper) {
	document.documentElement.classList.toggle("printing", isPaper);
	for (const chart of allCharts)
		if (chart.graph && chart.element.isConnected)
			chart.graph.resize();
}

addEventListener("beforeprint", () => fitToPaper(true));
addEventListener("afterprint", () => fitToPaper(false));

// Bars instead of lines: a row's x is the bar's left edge.
function plotBars(e) {
	const c = e.drawingContext;
	const bottom = e.dygraph.toDomYCoord(0);
	c.fillStyle = e.color;
	for (let i = 0; i < e.points.length; i++) {
		const next = e.points[i + 1];
		const left = e.points[i].canvasx;
		const width = next ? next.canvasx - left : 0;
		const y = Math.min(e.points[i].canvasy, bottom);
		c.fillRect(left, y, Math.max(1, width - 1), bottom - y);
	}
}

// Steps without data become a row of their own at either end of the gap, so
// that no line is drawn across it.
function filled(series, step) {
	const all = [];
	for (const s of series) {
		const last = all[all.length - 1];
		if (last && s.t - last.t > step) {
			all.push({ t: last.t + step });
			if (s.t - last.t > 2 * step)
				all.push({ t: s.t - step });
		}
		all.push(s);
	}
	return all;
}

function known(value) {
	return value === undefined ? null : value;
}

function isKnown(value) {
	return known(value) !== null;
}
