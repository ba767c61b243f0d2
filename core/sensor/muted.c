#include "sensor/muted.h"

#include <string.h>

#include "base/clock.h"
#include "event/alert.h"

enum {
	/* What is told of one file in so short a time is one act. */
	ACT_MS = 1000,
};

void mw_muted_begin(struct mw_muted *muted, const struct mw_rule_info *const *before)
{
	memset(muted->alerted, 0, sizeof(muted->alerted));
	muted->before = before;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash_of(const char *path)
{
	uint64_t hash = 14695981039346656037u;
	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 1099511628211u;
	return hash;
}

static bool is_repeated(struct mw_muted *muted, const struct mw_alert *alert)
{
	const struct mw_event *event = alert->event;
	if (!event->file || event->file->found_by <= MW_FILE_BY_CALL)
		return false;
	uint64_t hash = hash_of(event->file->path);
	for (unsigned i = 0; i < MW_MUTED_FILES; i++)
		if (muted->files[i].rule == alert->rule && muted->files[i].path_hash == hash &&
		    event->time_ns - muted->files[i].time_ns < (int64_t)ACT_MS * MW_NS_PER_MS)
			return true;
	unsigned place = muted->next++ % MW_MUTED_FILES;
	muted->files[place].rule = alert->rule;
	muted->files[place].path_hash = hash;
	muted->files[place].time_ns = event->time_ns;
	return false;
}

bool mw_muted_is(struct mw_muted *muted, const struct mw_alert *alert)
{
	bool is_muted = false;
	for (const struct mw_rule_info *const *before = muted->before; before && *before; before++)
		is_muted |= *before == alert->rule;
	is_muted = is_muted || is_repeated(muted, alert);
	muted->count += is_muted;
	for (unsigned i = 0; i < MW_MUTED_RULES && !is_muted; i++)
		if (!muted->alerted[i]) {
			muted->alerted[i] = alert->rule;
			break;
		}
	return is_muted;
}
