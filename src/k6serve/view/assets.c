/* SPDX-License-Identifier: MIT */
/* The files of the pages, put into the program by the assembler. */
#include "k6serve/view/assets.h"

/* Debian's libjs-dygraphs (MIT); its notice stands in the script. */
#ifndef DYGRAPHS
#define DYGRAPHS "/usr/share/javascript/dygraphs"
#endif

#define EMBED(name, file) \
	__asm__(".section .rodata\n" \
	    ".balign 16\n" \
	    "asset_" #name ":\n" \
	    ".incbin \"" file "\"\n" \
	    "asset_" #name "_end:\n" \
	    ".byte 0\n" \
	    ".previous\n"); \
	extern const char asset_##name[], asset_##name##_end[]

EMBED(schema, "src/k6serve/store/schema.sql");
EMBED(schema_postgres, "src/k6serve/store/schema_postgres.sql");
EMBED(list_html, "src/k6serve/web/list.html");
EMBED(run_html, "src/k6serve/web/run.html");
EMBED(page_css, "src/k6serve/web/page.css");
EMBED(page_js, "src/k6serve/web/page.js");
EMBED(list_js, "src/k6serve/web/list.js");
EMBED(run_js, "src/k6serve/web/run.js");
EMBED(run_charts_js, "src/k6serve/web/run_charts.js");
EMBED(run_tables_js, "src/k6serve/web/run_tables.js");
EMBED(compare_html, "src/k6serve/web/compare.html");
EMBED(compare_js, "src/k6serve/web/compare.js");
EMBED(chart_js, "src/k6serve/web/chart.js");
EMBED(table_js, "src/k6serve/web/table.js");
EMBED(insights_js, "src/k6serve/web/insights.js");
EMBED(openapi, "src/k6serve/web/openapi.json");
EMBED(icon, "src/k6serve/web/icon.svg");
EMBED(dygraph_js, DYGRAPHS "/dygraph.min.js");
EMBED(dygraph_css, DYGRAPHS "/dygraph.min.css");

#define ROW(name) { asset_##name, asset_##name##_end }

static const struct {
	const char *start, *end;
} table[] = {
	[ASSET_SCHEMA] = ROW(schema),
	[ASSET_SCHEMA_POSTGRES] = ROW(schema_postgres),
	[ASSET_LIST_HTML] = ROW(list_html),
	[ASSET_RUN_HTML] = ROW(run_html),
	[ASSET_PAGE_CSS] = ROW(page_css),
	[ASSET_PAGE_JS] = ROW(page_js),
	[ASSET_LIST_JS] = ROW(list_js),
	[ASSET_RUN_JS] = ROW(run_js),
	[ASSET_RUN_CHARTS_JS] = ROW(run_charts_js),
	[ASSET_RUN_TABLES_JS] = ROW(run_tables_js),
	[ASSET_DYGRAPH_JS] = ROW(dygraph_js),
	[ASSET_DYGRAPH_CSS] = ROW(dygraph_css),
	[ASSET_ICON] = ROW(icon),
	[ASSET_OPENAPI] = ROW(openapi),
	[ASSET_COMPARE_HTML] = ROW(compare_html),
	[ASSET_COMPARE_JS] = ROW(compare_js),
	[ASSET_CHART_JS] = ROW(chart_js),
	[ASSET_TABLE_JS] = ROW(table_js),
	[ASSET_INSIGHTS_JS] = ROW(insights_js),
};

struct span
asset(enum asset which)
{
	return (struct span){ table[which].start,
	    (size_t)(table[which].end - table[which].start) };
}
