/* SPDX-License-Identifier: MIT */
/* Escapes texts that come from outside, for each form. */
#include "k6serve/view/ci_text.h"

#include <string.h>

void
ci_text_plain(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++)
		buf_char(out, (unsigned char)*text < ' ' || *text == 0x7f ?
		    ' ' : *text);
}

void
ci_text_xml(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			buf_text(out, "&amp;");
			break;
		case '<':
			buf_text(out, "&lt;");
			break;
		case '>':
			buf_text(out, "&gt;");
			break;
		case '"':
			buf_text(out, "&quot;");
			break;
		default:
			buf_char(out, (unsigned char)*text < ' ' ? ' ' :
			    *text);
		}
	}
}

void
ci_text_case(struct test_case *t, int count[3], struct buf *out)
{
	static const char *const elements[] = { NULL, "failure", "skipped" };

	count[t->result]++;
	buf_printf(out, "    <testcase classname=\"%s\" name=\"", t->class);
	ci_text_xml(t->name, out);
	if (t->result == CASE_PASSED) {
		buf_text(out, "\"/>\n");
	} else {
		buf_printf(out, "\"><%s message=\"", elements[t->result]);
		ci_text_xml(buf_whole(&t->message).p, out);
		buf_text(out, "\"/></testcase>\n");
	}
	buf_release(&t->message);
}

void
ci_text_cell(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ') {
			buf_char(out, ' ');
			continue;
		}
		if (strchr("\\`*_{}[]<>()#|~&!", *text) != NULL)
			buf_char(out, '\\');
		buf_char(out, *text);
	}
}

void
ci_text_command(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++)
		if (strchr("%\r\n", *text) != NULL)
			buf_printf(out, "%%%02X", (unsigned)*text);
		else
			buf_char(out, *text);
}
