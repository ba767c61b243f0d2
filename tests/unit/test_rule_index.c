/* The index of listeners leaves nobody out: whoever's filter holds is among those that it names; and of those whose paths have
 * something in common it names few others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/event.h"
#include "rule/filter.h"
#include "rule/index.h"

enum {
	LISTENERS = 200,
	PATHS = 5000,
	PIECES = 6,
	TEXT_BYTES = 128,
};

static uint32_t seed = 20260101;

static unsigned draw(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void append(char *text, const char *piece)
{
	(void)strncat(text, piece, TEXT_BYTES - strlen(text) - 1);
}

/* Few names, so that much fits. */
static void draw_path(char *path)
{
	static const char *const names[] = {"etc", "proc", "1", "mem", ".ssh", "id_rsa", "a", "bin", "x.pem", "shadow"};
	path[0] = '\0';
	for (unsigned i = 0, n = 1 + draw(PIECES); i < n; i++) {
		append(path, "/");
		append(path, names[draw(sizeof(names) / sizeof(*names))]);
	}
}

static void draw_pattern(char *pattern)
{
	draw_path(pattern);
	size_t n = strlen(pattern);
	for (unsigned i = draw(3); i > 0; i--)
		pattern[draw((unsigned)n)] = draw(2) ? '*' : '?';
	if (draw(4) == 0)
		append(pattern, "/");
	if (draw(4) == 0)
		append(pattern, "*");
	if (draw(3) == 0) {
		char behind[TEXT_BYTES];
		(void)snprintf(behind, sizeof(behind), "%s", pattern + draw((unsigned)n));
		(void)snprintf(pattern, TEXT_BYTES, "*%.*s", TEXT_BYTES - 2, behind);
	}
}

struct world {
	struct mw_condition conditions[LISTENERS];
	struct mw_filter filters[LISTENERS];
	struct mw_listener listeners[LISTENERS];
	unsigned count;
};

static void listen_to(struct world *world, const char *const *patterns, unsigned count)
{
	unsigned n = world->count++;
	size_t bytes[4];
	for (unsigned i = 0; i < count; i++)
		bytes[i] = strlen(patterns[i]);
	world->conditions[n] = (struct mw_condition){.what = MW_WHERE_PATHS};
	assert_int_equal(mw_patterns_make(&world->conditions[n].patterns, patterns, bytes, count, false), 0);
	world->filters[n] = (struct mw_filter){.conditions = &world->conditions[n], .count = 1};
	world->listeners[n] = (struct mw_listener){.kinds = 1u << MW_FILE_OPEN, .filter = &world->filters[n]};
}

static void release(struct world *world)
{
	for (unsigned i = 0; i < world->count; i++)
		mw_patterns_release(&world->conditions[i].patterns);
}

/* How many it names; each that holds must be among them. */
static unsigned ask(const struct world *world, struct mw_index *index, const char *path, unsigned *ret_holding)
{
	const struct mw_file file = {.path = path};
	const struct mw_event event = {.kind = MW_FILE_OPEN, .file = &file};
	struct mw_subject subject;
	mw_subject_begin(&subject, &event, NULL);
	unsigned words = 0, named = 0;
	const uint64_t *found = mw_index_ask(index, &subject, &words);
	for (unsigned i = 0; i < world->count; i++) {
		bool is_named = found && found[i / 64] >> i % 64 & 1;
		bool holds = mw_filter_holds(&world->filters[i], &subject);
		if (holds && !is_named)
			fail_msg("%s fits listener %u, which is not named", path, i);
		named += is_named;
		*ret_holding += holds;
	}
	return named;
}

static void nobody_is_left_out(void **state)
{
	(void)state;
	struct world world = {.count = 0};
	for (unsigned i = 0; i < LISTENERS; i++) {
		char texts[2][TEXT_BYTES];
		draw_pattern(texts[0]);
		draw_pattern(texts[1]);
		const char *const patterns[] = {texts[0], texts[1]};
		listen_to(&world, patterns, 1 + draw(2));
	}
	struct mw_index *index = mw_index_new(world.listeners, world.count);
	assert_non_null(index);
	unsigned holding = 0;
	for (unsigned i = 0; i < PATHS; i++) {
		char path[TEXT_BYTES];
		draw_path(path);
		(void)ask(&world, index, path, &holding);
	}
	assert_true(holding > PATHS);
	mw_index_free(index);
	release(&world);
}

static void what_paths_have_in_common_is_looked_up(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *fits, *other;
	} cases[] = {
		{"/etc/shadow", "/etc/shadow", "/etc/passwd"},
		{"/etc/cron.d/", "/etc/cron.d/x", "/etc/cron"},
		{"/proc/*/mem", "/proc/1/mem", "/process/1/mem"},
		{"/dev/sd*", "/dev/sda", "/devices/sda"},
		{"*/.ssh/id_*", "/root/.ssh/id_rsa", "/root/ssh/id_rsa"},
		{"*/release_agent", "/sys/fs/cgroup/release_agent", "/release_agent/x.y"},
		{"*/serviceaccount/*token*", "/run/serviceaccount/token", "/run/service/token"},
		{"*/.aws/*", "/root/.aws/credentials", "/root/aws/.awsx"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world world = {.count = 0};
		listen_to(&world, &cases[i].pattern, 1);
		struct mw_index *index = mw_index_new(world.listeners, world.count);
		assert_non_null(index);
		unsigned holding = 0;
		assert_int_equal(ask(&world, index, cases[i].fits, &holding), 1);
		assert_int_equal(holding, 1);
		bool is_name_elsewhere =
			strcmp(cases[i].pattern, "*/release_agent") == 0; /* a name, wherever it stands */
		assert_int_equal(ask(&world, index, cases[i].other, &holding), is_name_elsewhere ? 1 : 0);
		assert_int_equal(holding, 1);
		mw_index_free(index);
		release(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_left_out),
		cmocka_unit_test(what_paths_have_in_common_is_looked_up),
	};
	return cmocka_run_group_tests_name("rule_index", tests, NULL, NULL);
}
