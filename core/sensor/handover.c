#include "sensor/handover.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "spool/handover.h"
#include "spool/spool.h"

enum {
	/* What can be written in the time there is: some 100 ms. */
	LIMIT_BYTES = 16 << 20,
	SHARE = 4,
	SHARE_MIN_MS = 250,
	SHARE_MAX_MS = 1000,
	NAME_BYTES = 128,
	LIST_BYTES = 256,
};

static const enum mw_spool_stream by_value[MW_SPOOL_STREAMS] = {
	MW_SPOOL_ALERTS,
	MW_SPOOL_RESULTS,
	MW_SPOOL_EVENTS,
	MW_SPOOL_STATUS,
};

int64_t mw_handover_ms(const struct mw_flags *flags, int64_t flush_ms)
{
	if (!*mw_flag_text(flags, MW_FLAG_SPOOL_HANDOVER))
		return 0;
	int64_t least_ms = flush_ms / 2 < SHARE_MIN_MS ? flush_ms / 2 : SHARE_MIN_MS;
	int64_t share_ms = flush_ms / SHARE < SHARE_MAX_MS ? flush_ms / SHARE : SHARE_MAX_MS;
	return share_ms > least_ms ? share_ms : least_ms;
}

/* "alerts=2 events=311" */
static uint64_t list(const uint64_t rows[MW_SPOOL_STREAMS], char out[LIST_BYTES])
{
	MW_AUTO(mw_buf) text = MW_BUF(LIST_BYTES - 1);
	uint64_t all = 0;
	for (unsigned i = 0; i < MW_SPOOL_STREAMS; i++) {
		uint64_t n = rows[by_value[i]];
		if (n)
			mw_buf_printf(&text, "%s%s=%" PRIu64, text.size ? " " : "", mw_spool_stream_names[by_value[i]],
				      n);
		all += n;
	}
	(void)snprintf(out, LIST_BYTES, "%s", text.data ? text.data : "");
	return all;
}

/* HOST-RUN: told apart in a folder that many tasks share. */
static void make_name(int64_t start_ns, char out[NAME_BYTES])
{
	char host[65] = "";
	(void)gethostname(host, sizeof(host) - 1);
	for (char *c = host; *c; c++) {
		bool is_word = (*c | 32) >= 'a' && (*c | 32) <= 'z';
		if (!is_word && !(*c >= '0' && *c <= '9') && *c != '-')
			*c = '_';
	}
	(void)snprintf(out, NAME_BYTES, "%s-%016" PRIx64, *host ? host : "host", (uint64_t)start_ns);
}

void mw_handover(struct mw_spool *spool, const struct mw_flags *flags, int64_t start_ns, const char *state_dir)
{
	const char *dir = mw_flag_text(flags, MW_FLAG_SPOOL_HANDOVER);
	uint64_t rows[MW_SPOOL_STREAMS];
	char counts[LIST_BYTES];
	mw_spool_undelivered(spool, rows);
	if (!list(rows, counts))
		return;
	if (!*dir) {
		mw_log("undelivered: %s; %s%s", counts,
		       *state_dir ? "they stay in " : "they were in memory, and are lost", state_dir);
		return;
	}
	struct mw_spool_handed handed;
	struct mw_err err;
	char name[NAME_BYTES];
	make_name(start_ns, name);
	if (mw_spool_hand_over(spool, state_dir, dir, name, LIMIT_BYTES, &handed, &err) < 0) {
		mw_log("undelivered: %s; they cannot be handed over: %s", counts, err.text);
		return;
	}
	char left[LIST_BYTES];
	(void)list(handed.rows, counts);
	uint64_t others = list(handed.left, left);
	mw_log("undelivered: %s spool=%s%s%s", counts, handed.path, others ? "; more than is handed over: " : "",
	       others ? left : "");
}
