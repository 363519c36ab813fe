#include "tests/lib/clientfacts.h"

#include "agent/facts.h"

static void show(const char *account, const struct mm_fact_row *row, struct mm_buf *out)
{
	bool where = row->path != NULL && (!row->well || row->fact == MM_FACT_TLS_MIN);

	mm_buf_addf(out, "%s %s = %s", account, mm_fact_id(row->fact),
	    row->found == NULL      ? "?"
	    : row->found[0] == '\0' ? "-"
				    : row->found);
	if (where)
		mm_buf_addf(out, " (%s:%d)", row->path, row->line);
	if (row->reason[0] != '\0')
		mm_buf_addf(out, " %s", row->reason);
	mm_buf_addc(out, '\n');
}

void mm_client_show_facts(struct mm_reader *r, const struct mm_client *cl, struct mm_buf *out)
{
	struct mm_place *places;
	struct mm_err err = MM_ERR_NONE;
	size_t n = 0;

	if (cl->find(r, false, &places, &n, &err) != 0)
		mm_buf_addf(out, "error: %s\n", err.text);
	for (size_t i = 0; i < n; i++) {
		struct mm_fact_row rows[MM_FACT_COUNT];
		struct mm_view view;

		if (cl->read(r, &places[i], &view, &err) != 0) {
			mm_buf_addf(out, "error: %s\n", err.text);
			continue;
		}
		for (size_t k = 0; k < view.n; k++) {
			size_t facts = mm_facts_of_account(cl, &view, &view.accounts[k], r, r->arena, rows);
			for (size_t m = 0; m < facts; m++)
				show(view.accounts[k].key, &rows[m], out);
		}
		if (mm_facts_of_place(cl, &view, rows) > 0)
			show("*", &rows[0], out);
	}
}
