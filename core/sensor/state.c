#include "sensor/state.h"

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "event/alert.h"
#include "event/event.h"
#include "event/level.h"
#include "flag/flag.h"
#include "rule/engine.h"
#include "spool/spool.h"

enum {
	BODY_BYTES = 4 << 20,
};

static void add_text(struct mw_buf *body, const char *text)
{
	mw_json_string(body, text, strlen(text));
}

static void add_field(struct mw_buf *body, const char *name, const char *text)
{
	mw_buf_printf(body, ",\"%s\":", name);
	add_text(body, text);
}

/* Names with commas between. */
static void add_kinds(struct mw_buf *body, uint64_t kinds)
{
	MW_AUTO(mw_buf) names = MW_BUF(BODY_BYTES);
	for (unsigned i = 0; i < MW_EVENT_KINDS; i++)
		if (kinds >> i & 1) {
			mw_buf_str(&names, names.size ? "," : "");
			mw_buf_str(&names, mw_event_kinds[i].name);
		}
	add_field(body, "kinds", names.data ? names.data : "");
}

static void add_attack(struct mw_buf *body, const struct mw_rule_info *info)
{
	MW_AUTO(mw_buf) ids = MW_BUF(BODY_BYTES);
	for (size_t at = 0; at < info->attack_bytes; at += strlen(info->attack + at) + 1) {
		mw_buf_str(&ids, ids.size ? "," : "");
		mw_buf_str(&ids, info->attack + at);
	}
	add_field(body, "attack", ids.data ? ids.data : "");
}

/* [{"id":…}, …], as tables/moonwatch_rules.c reads it. */
static void make_rules(struct mw_buf *body, const struct mw_rules *rules)
{
	mw_buf_char(body, '[');
	for (size_t i = 0; rules && i < mw_rules_count(rules); i++) {
		const struct mw_rule_info *info = mw_rules_info(rules, i);
		struct mw_rule_state state = mw_rules_state(rules, i);
		mw_buf_str(body, i ? ",{\"id\":" : "{\"id\":");
		add_text(body, info->id);
		add_field(body, "severity", mw_severity_names[info->severity]);
		add_attack(body, info);
		add_kinds(body, state.kinds);
		add_field(body, "summary", info->summary ? info->summary : "");
		add_field(body, "file", mw_rules_file(rules, i));
		mw_buf_printf(body, ",\"enabled\":%d}", state.is_enabled);
	}
	mw_buf_char(body, ']');
}

/* {"name":["value","source"], …}, as tables/osquery_flags.c reads it. */
static void make_flags(struct mw_buf *body, const struct mw_flags *flags)
{
	for (unsigned i = 0; i < MW_FLAG_COUNT; i++) {
		MW_AUTO(mw_buf) value = MW_BUF(MW_FLAG_TEXT_BYTES);
		mw_flag_format(flags, (enum mw_flag_id)i, &value);
		mw_buf_char(body, i ? ',' : '{');
		add_text(body, mw_flag_list[i].name);
		mw_buf_str(body, ":[");
		add_text(body, value.data ? value.data : "");
		mw_buf_char(body, ',');
		add_text(body, mw_flag_source_name(mw_flag_source(flags, (enum mw_flag_id)i)));
		mw_buf_char(body, ']');
	}
	mw_buf_char(body, '}');
}

static void put(struct mw_spool *spool, const char *name, const struct mw_buf *body)
{
	if (mw_buf_status(body) == 0)
		(void)mw_spool_put_document(spool, name, body->data, body->size, NULL);
}

void mw_state_write(struct mw_spool *spool, const struct mw_flags *flags, const struct mw_rules *rules)
{
	MW_AUTO(mw_buf) body = MW_BUF(BODY_BYTES);
	make_rules(&body, rules);
	put(spool, "rules", &body);
	mw_buf_clear(&body);
	make_flags(&body, flags);
	put(spool, "flags", &body);
	/* What the run before had scheduled is no longer true; the agent says what is. */
	(void)mw_spool_put_document(spool, "schedule", "{}", 2, NULL);
}
