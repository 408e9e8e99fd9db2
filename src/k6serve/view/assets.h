/* SPDX-License-Identifier: MIT */
/* assets: the files of src/k6serve/web, and the chart library, inside the
 * program. */
#ifndef K6PIPE_K6SERVE_VIEW_ASSETS_H
#define K6PIPE_K6SERVE_VIEW_ASSETS_H

#include "base/mem.h"

enum asset { ASSET_SCHEMA, ASSET_LIST_HTML, ASSET_RUN_HTML, ASSET_PAGE_CSS,
	ASSET_PAGE_JS, ASSET_LIST_JS, ASSET_RUN_JS,
	ASSET_RUN_CHARTS_JS, ASSET_RUN_TABLES_JS, ASSET_DYGRAPH_JS,
	ASSET_DYGRAPH_CSS, ASSET_ICON, ASSET_OPENAPI, ASSET_COMPARE_HTML,
	ASSET_COMPARE_JS, ASSET_CHART_JS, ASSET_TABLE_JS, ASSET_INSIGHTS_JS,
	ASSET_SCHEMA_POSTGRES, ASSETS };

/* The file's bytes, as they were when the program was built; they live as long
 * as the program, and a NUL that is not counted stands behind them. */
struct span asset(enum asset which);

#endif
