// Tables that sort, filter and open. Their rows are kept by key while data
// comes in, so that whoever reads, points or types is not disturbed.
"use strict";

const ROWS_SHOWN = 100;

// columns: [{ key, head, title, isNumber, isTime, isRare: not shown where all
// its cells are empty, text(row), cell(row), isBad(row) }].
// Options: caption, sort (key), sign, filter (placeholder), search(row): its
// text, open(row, box): fill in the details of a row and return what draws them
// again, id(row): what tells it apart, rowHead: which
// column heads the row if not the first, stacks: rows
// take two lines on a phone, state: the prefix of its words in the
// page's address, without which sort and filter are not kept there.
function Table(columns, options) {
	this.columns = columns;
	this.options = options;
	this.first = { key: options.sort, sign: options.sign || -1 };
	this.sort = this.first;
	this.rows = [];
	this.shown = options.shown || ROWS_SHOWN;
	this.kept = new Map();	// id -> { tr, text, row, button }
	this.opened = new Map();	// id -> { tr, again }
	this.absent = [];	// keys of columns that are not shown
	this.body = el("tbody");
	this.foot = el("tfoot");
	this.headRow = el("tr", {}, ...columns.map(c => this.head(c)));
	this.more = el("p", { class: "more small soft" });
	this.element = el("div", { class: options.stacks ? "stack" : "" },
	    el("div", { class: "scroll", tabindex: "0",
	    role: "group", "aria-label": options.caption + ", table" }, el("table",
	    {}, el("caption", { class: "unseen" }, options.caption),
	    el("thead", {}, this.headRow), this.body, this.foot)), this.more);
	if (options.filter) {
		this.input = el("input", { type: "search",
		    placeholder: options.filter, "aria-label": options.filter });
		this.input.addEventListener("input", () => {
			this.shown = options.shown || ROWS_SHOWN;
			this.keep({ filter: this.input.value || null }, true);
			this.show();
		});
	}
	this.recall();
}

Table.prototype.word = function (name) {
	return this.options.state + "." + name;
};

// Sort and filter, as the page's address has them.
Table.prototype.recall = function () {
	if (!this.options.state)
		return;
	const sort = address.get(this.word("sort"));
	const key = sort && sort.replace(/^-/, "");
	this.sort = this.columns.some(c => c.key === key) ? { key,
	    sign: sort[0] === "-" ? -1 : 1 } : this.first;
	if (this.input)
		this.input.value = address.get(this.word("filter")) || "";
};

Table.prototype.keep = function (values, isTyping) {
	if (this.options.state)
		address.set(Object.fromEntries(Object.entries(values).map(
		    ([k, v]) => [this.word(k), v])), isTyping);
};

Table.prototype.head = function (column) {
	const button = el("button", { type: "button", class: "sort" },
	    column.head);
	const th = el("th", { scope: "col" }, column.isFixed ? column.head :
	    button);
	th.dataset.key = column.key;
	if (column.isNumber)
		th.className = "n";
	if (column.title)
		button.title = column.title;
	button.addEventListener("click", () => {
		const isSame = this.sort.key === column.key;
		this.sort = { key: column.key, sign: isSame ? -this.sort.sign :
		    column.isNumber ? -1 : 1 };
		this.keep({ sort: (this.sort.sign < 0 ? "-" : "") + column.key });
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

// The cells of a row; the first one is its head.
Table.prototype.cells = function (row, wrap) {
	return this.columns.map((c, i) => {
		const content = c.cell ? c.cell(row) : c.text(row);
		const cell = i === (this.options.rowHead || 0) ?
		    el("th", { scope: "row" }, ...wrap ? [wrap(content)] :
		    breakable(content)) : el("td", { class: (c.isNumber ?
		    "n" : c.isTime ? "when" : "") + (c.isBad && c.isBad(row) ?
		    " bad-text" : "") + (content === "–" || content === "" ?
		    " none" : "") }, ...c.isNumber || c.isTime ? [content] :
		    breakable(content));
		cell.dataset.head = c.head;
		cell.hidden = this.absent.includes(c.key);
		return cell;
	});
};

// The row of an id, changed only where it changed.
Table.prototype.rowOf = function (row, id) {
	const text = JSON.stringify([row, this.absent]);
	let kept = this.kept.get(id);
	if (!kept) {
		kept = { tr: el("tr"), text: "", button: null };
		this.kept.set(id, kept);
		if (this.options.open) {
			kept.button = el("button", { type: "button",
			    class: "open", "aria-expanded": "false" });
			kept.tr.className = "opens";
			kept.tr.addEventListener("click", event => {
				if (!getSelection().toString() ||
				    event.target === kept.button)
					this.toggle(id);
			});
		}
	}
	kept.row = row;
	if (kept.text === text)
		return kept;
	kept.text = text;
	const isNew = kept.tr.cells.length === 0;
	const cells = this.cells(row, kept.button && (content => {
		if (kept.button.textContent !== content)
			kept.button.replaceChildren(...breakable(content));
		return isNew ? kept.button : "";	// where it is, it stays
	}));
	if (isNew)
		kept.tr.append(...cells);
	else
		cells.forEach((cell, i) => {
			if (i > 0 || !kept.button)
				kept.tr.cells[i].replaceWith(cell);
		});
	return kept;
};

Table.prototype.toggle = function (id) {
	const kept = this.kept.get(id);
	const isOpen = this.opened.has(id);
	kept.button.setAttribute("aria-expanded", String(!isOpen));
	if (isOpen) {
		this.opened.get(id).tr.remove();
		this.opened.delete(id);
		return;
	}
	const box = el("td", { colspan: String(this.columns.length) });
	const detail = el("tr", { class: "detail" }, box);
	kept.tr.after(detail);
	this.opened.set(id, { tr: detail, again: this.options.open(kept.row,
	    box) });
};

// New data; the total is a row for the foot, or nothing.
Table.prototype.set = function (rows, total) {
	this.rows = rows;
	this.absent = this.columns.filter(c => c.isRare && !rows.some(
	    r => c.text(r))).map(c => c.key);
	for (const th of this.headRow.children)
		th.hidden = this.absent.includes(th.dataset.key);
	this.show();
	this.foot.replaceChildren(...total ? [el("tr", {},
	    ...this.cells(total))] : []);
	for (const [id, detail] of this.opened)
		if (detail.again && this.kept.has(id))
			detail.again(this.kept.get(id).row);
};

Table.prototype.idOf = function (row) {
	return this.options.id ? this.options.id(row) : String(row[
	    this.columns[0].key]) + "\n" + row[this.columns[1].key];
};

// Put the elements there in that order, and move only those that must.
Table.prototype.place = function (elements) {
	const focused = document.activeElement;
	let at = this.body.firstChild;
	for (const element of elements) {
		if (element === at)
			at = at.nextSibling;
		else
			this.body.insertBefore(element, at);
	}
	while (at) {
		const next = at.nextSibling;
		at.remove();
		at = next;
	}
	if (focused && focused.isConnected && document.activeElement !== focused)
		focused.focus({ preventScroll: true });
};

Table.prototype.show = function () {
	const wanted = this.input ? this.input.value.trim().toLowerCase() : "";
	const found = this.rows.filter(r => !wanted ||
	    this.options.search(r).toLowerCase().includes(wanted));
	const sorted = found.sort((a, b) => this.compare(a, b));
	const elements = [];
	for (const row of sorted.slice(0, this.shown)) {
		const id = this.idOf(row);
		elements.push(this.rowOf(row, id).tr);
		if (this.opened.has(id))
			elements.push(this.opened.get(id).tr);
	}
	this.place(elements);
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
	if (this.more.hidden)
		return;
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
