// Tables that sort, filter and open.
"use strict";

const ROWS_SHOWN = 100;

// columns: [{ key, head, title, isNumber, text(row), cell(row) }]. Options:
// caption, sort (key), sign, filter (placeholder), search(row): its text,
// open(row, box): fill in the details of a row, id(row): what tells it apart.
function Table(columns, options) {
	this.columns = columns;
	this.options = options;
	this.sort = { key: options.sort, sign: options.sign || -1 };
	this.rows = [];
	this.shown = options.shown || ROWS_SHOWN;
	this.opened = new Map();
	this.body = el("tbody");
	this.headRow = el("tr", {}, ...columns.map(c => this.head(c)));
	this.more = el("p", { class: "more small soft" });
	this.element = el("div", {}, el("div", { class: "scroll" }, el("table",
	    {}, el("caption", { class: "unseen" }, options.caption),
	    el("thead", {}, this.headRow), this.body)), this.more);
	if (options.filter) {
		this.input = el("input", { type: "search",
		    placeholder: options.filter, "aria-label": options.filter });
		this.input.addEventListener("input", () => {
			this.shown = options.shown || ROWS_SHOWN;
			this.show();
		});
	}
}

Table.prototype.head = function (column) {
	const button = el("button", { type: "button", class: "sort" },
	    column.head);
	const th = el("th", { scope: "col" }, button);
	th.dataset.key = column.key;
	if (column.isNumber)
		th.className = "n";
	if (column.title)
		button.title = column.title;
	button.addEventListener("click", () => {
		const isSame = this.sort.key === column.key;
		this.sort = { key: column.key, sign: isSame ? -this.sort.sign :
		    column.isNumber ? -1 : 1 };
		this.show();
	});
	return th;
};

Table.prototype.compare = function (a, b) {
	const x = a[this.sort.key], y = b[this.sort.key];
	if (x === y)
		return 0;
	if (x === null || x === undefined)
		return 1;
	if (y === null || y === undefined)
		return -1;
	return this.sort.sign * (x < y ? -1 : 1);
};

Table.prototype.row = function (row) {
	const tr = el("tr");
	this.columns.forEach((c, i) => {
		let content = c.cell ? c.cell(row) : c.text(row);
		if (i === 0 && this.options.open) {
			content = el("button", { type: "button", class: "open",
			    "aria-expanded": "false" }, content);
			tr.className = "opens";
			tr.addEventListener("click", event => {
				if (!getSelection().toString() ||
				    event.target === content)
					this.toggle(row, tr, content);
			});
		}
		tr.append(i === 0 ? el("th", { scope: "row" }, content) :
		    el("td", { class: (c.isNumber ? "n" : "") +
		    (c.isBad && c.isBad(row) ? " bad-text" : "") }, content));
	});
	return tr;
};

Table.prototype.toggle = function (row, tr, button) {
	const id = this.options.id(row);
	const isOpen = this.opened.has(id);
	button.setAttribute("aria-expanded", String(!isOpen));
	if (isOpen) {
		this.opened.get(id).remove();
		this.opened.delete(id);
		return;
	}
	const box = el("td", { colspan: String(this.columns.length) });
	const detail = el("tr", { class: "detail" }, box);
	tr.after(detail);
	this.opened.set(id, detail);
	this.options.open(row, box);
};

Table.prototype.set = function (rows) {
	this.rows = rows;
	this.show();
};

Table.prototype.show = function () {
	const wanted = this.input ? this.input.value.trim().toLowerCase() : "";
	const found = this.rows.filter(r => !wanted ||
	    this.options.search(r).toLowerCase().includes(wanted));
	const sorted = found.sort((a, b) => this.compare(a, b));
	const focused = document.activeElement;
	this.body.replaceChildren();
	for (const row of sorted.slice(0, this.shown)) {
		const tr = this.row(row);
		this.body.append(tr);
		const detail = this.options.open &&
		    this.opened.get(this.options.id(row));
		if (detail) {
			tr.after(detail);
			tr.querySelector(".open").setAttribute("aria-expanded",
			    "true");
		}
	}
	if (focused && focused.isConnected)
		focused.focus();
	for (const th of this.headRow.children)
		if (th.dataset.key === this.sort.key)
			th.setAttribute("aria-sort", this.sort.sign < 0 ?
			    "descending" : "ascending");
		else
			th.removeAttribute("aria-sort");
	this.showMore(sorted.length, wanted);
};

Table.prototype.showMore = function (n, wanted) {
	this.more.hidden = n <= this.shown && !(wanted && n === 0);
	if (n === 0) {
		this.more.replaceChildren("Nothing matches “" + wanted + "”.");
		return;
	}
	const button = el("button", { type: "button", class: "link" },
	    "Show more");
	button.addEventListener("click", () => {
		this.shown *= 4;
		this.show();
	});
	this.more.replaceChildren(count(Math.min(n, this.shown)) + " of " +
	    count(n) + ". ", button);
};
