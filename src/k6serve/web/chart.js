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

const allCharts = new Set();

// A chart in a figure of its own. lines: [{ label, color, unit }]. Options:
// title, size ("low", "tall"), fill, stacked, group (charts that point at the
// same time), noTimes, format(value).
function Chart(options) {
	this.options = options;
	this.format = options.format || number;
	this.legend = el("span", { class: "legend" });
	this.area = el("div", { class: "chart " + (options.size || ""),
	    role: "img", tabindex: "0" });
	this.element = el("figure", { class: "plot" }, el("figcaption", {},
	    el("b", {}, options.title), this.legend), this.area);
	this.rows = [];
	this.lines = [];
	this.area.addEventListener("keydown", event => this.key(event));
	this.area.addEventListener("blur", () => this.point(-1));
	allCharts.add(this);
}

Chart.prototype.showLegend = function (at) {
	const row = this.rows[at] || null;
	this.legend.replaceChildren(...this.lines.map((line, i) => {
		const mark = el("i");
		mark.style.background = color(line.color);
		return el("span", {}, mark, line.label + " ", row ? el("b", {},
		    this.format(row[i + 1])) : "");
	}));
	if (row && this.options.at)
		this.legend.prepend(el("span", {}, this.options.at(row[0])));
	else if (row && row[0] instanceof Date)
		this.legend.prepend(el("span", {},
		    row[0].toLocaleTimeString()));
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
	    parts.join("; ") + ". Arrow keys step through the values.");
};

// Mark a row in this chart, and the same time in its group; -1: none.
Chart.prototype.point = function (at, isFollower) {
	this.at = at;
	this.showLegend(at);
	if (!this.graph)
		return;
	if (at < 0)
		this.graph.clearSelection();
	else
		this.graph.setSelection(at);
	if (isFollower || !this.options.group)
		return;
	const x = at < 0 ? NaN : +this.rows[at][0];
	for (const other of allCharts)
		if (other !== this && other.options.group === this.options.group)
			other.point(other.rows.findIndex(r => +r[0] === x), true);
};

Chart.prototype.key = function (event) {
	const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
	const n = this.rows.length;
	if (!step || !n)
		return;
	event.preventDefault();
	this.legend.setAttribute("aria-live", "polite");
	const at = this.at >= 0 ? this.at + step : step < 0 ? n - 1 : 0;
	this.point(Math.min(n - 1, Math.max(0, at)));
};

Chart.prototype.draw = function (rows, lines) {
	const o = this.options;
	this.rows = rows;
	this.lines = lines;
	this.describe();
	this.showLegend(-1);
	if (rows.length === 0 || !this.area.isConnected)
		return;
	const grid = color("--line");
	const options = Object.assign({
		// Ours are in the legend: dygraphs has objects with them as keys,
		// and "__proto__" or a label that comes twice breaks it.
		labels: ["x", ...lines.map((l, i) => "y" + i)],
		colors: lines.map(l => color(l.color)), gridLineColor: grid,
		axisLineColor: grid, drawPoints: rows.length < 4, pointSize: 3,
		strokeWidth: 1.6, includeZero: true, highlightCircleSize: 3.5,
		xRangePad: 4, fillGraph: !!(o.fill || o.stacked),
		fillAlpha: o.stacked ? 0.55 : 0.13, stackedGraph: !!o.stacked,
		stepPlot: !!o.step, connectSeparatedPoints: !!o.step,
		animatedZooms: false, rightGap: 8,
		axes: {
			y: { axisLabelWidth: 46, pixelsPerLabel: 34,
			    axisLabelFormatter: v => this.format(v) },
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
	// One point stands in the middle, and not on the edge.
	if (rows.length === 1) {
		const x = +rows[0][0], span = rows[0][0] instanceof Date ? 1e3 : 1;
		options.dateWindow = [x - span, x + span];
	} else if (this.hadOne) {
		options.dateWindow = null;
	}
	this.hadOne = rows.length === 1;
	if (this.graph)
		this.graph.updateOptions(Object.assign({ file: rows }, options));
	else
		this.graph = new Dygraph(this.area, rows, options);
};

addEventListener("theme", () => {
	for (const chart of allCharts)
		if (chart.lines.length)
			chart.draw(chart.rows, chart.lines);
});

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
