/* Processes, and the fields of events. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "event/alert.h"

static struct mw_process *process_named(pid_t pid, struct mw_process *parent, const char *name)
{
	struct mw_process *process = mw_process_new(pid, parent, 1);
	struct mw_image *image = mw_image_new();
	assert_non_null(process);
	assert_non_null(image);
	(void)strncpy(image->name, name, sizeof(image->name) - 1);
	assert_int_equal(mw_image_set_argv(image, "a\0b c\0", 6), 0);
	mw_process_set_image(process, image);
	return process;
}

static void json_has_every_field_once(void **state)
{
	(void)state;
	struct mw_process *parent = process_named(1, NULL, "init");
	struct mw_process *child = process_named(2, parent, "sh");
	const struct mw_rule_info rule = {
		.id = "r", .summary = "S", .severity = MW_SEVERITY_HIGH, .attack = "T1\0T2\0", .attack_bytes = 6};
	const struct mw_event event = {.kind = MW_PROCESS_EXEC, .time_ns = 1, .id = "x-1", .process = child};
	const struct mw_alert alert = {.event = &event, .rule = &rule, .message = "say \"it\""};
	struct mw_buf buf = MW_BUF(10000);
	mw_shape_json(&buf, &mw_alert_shape, &alert);
	assert_string_equal(
		buf.data,
		"{\"time\":\"1970-01-01T00:00:00.000000001Z\",\"kind\":\"process.exec\",\"id\":\"x-1\","
		"\"rule\":{\"id\":\"r\",\"severity\":\"high\",\"attack\":[\"T1\",\"T2\"],\"summary\":\"S\"},"
		"\"message\":\"say \\\"it\\\"\","
		"\"process\":{\"pid\":2,\"ppid\":1,\"name\":\"sh\",\"cmdline\":\"a b c\",\"argv\":[\"a\",\"b c\"],"
		"\"uid\":0,\"gid\":0,\"euid\":0,\"egid\":0,\"start\":\"1970-01-01T00:00:00.000000001Z\","
		"\"parent\":{\"pid\":1,\"name\":\"init\",\"cmdline\":\"a b c\",\"uid\":0},"
		"\"ancestors\":[{\"pid\":1,\"name\":\"init\"}]}}");
	mw_buf_release(&buf);
	mw_process_unref(child);
	mw_process_unref(parent);
}

static void paths_reach_nested_fields(void **state)
{
	(void)state;
	struct mw_process *parent = process_named(1, NULL, "init");
	struct mw_process *child = process_named(2, parent, "sh");
	const struct mw_event event = {.process = child};
	struct mw_value value = {0};
	assert_int_equal(mw_shape_get(&mw_event_shape, &event, "process.parent.name", &value), 0);
	assert_int_equal(value.type, MW_TEXT);
	assert_memory_equal(value.text, "init", value.bytes);
	assert_int_equal(mw_shape_get(&mw_event_shape, &event, "process.parent.parent.pid", &value), 0);
	assert_int_equal(value.type, MW_NONE);
	assert_int_equal(mw_shape_get(&mw_event_shape, &event, "process.nmae", &value), -ENOENT);
	assert_int_equal(mw_shape_get(&mw_event_shape, &event, "kind.name", &value), -ENOENT);
	mw_process_unref(child);
	mw_process_unref(parent);
}

/* A program that forks and leaves, for ever: the chain of ancestors stays bounded, and is right where it is known. */
static void chains_of_ancestors_are_bounded(void **state)
{
	(void)state;
	struct mw_process *last = mw_process_new(1, NULL, 1);
	for (pid_t pid = 2; pid < 5000; pid++) {
		struct mw_process *next = mw_process_new(pid, last, 1);
		struct mw_process *sibling = mw_process_new(100000 + pid, last, 1);
		assert_non_null(next);
		mw_process_unref(last);
		mw_process_unref(sibling);
		last = next;
	}
	unsigned n = 0;
	while (mw_process_ancestor(last, n + 1))
		n++;
	assert_in_range(n, MW_ANCESTORS, 2 * MW_ANCESTORS);
	for (unsigned i = 1; i <= n; i++)
		assert_int_equal(mw_process_ancestor(last, i)->pid, last->pid - (pid_t)i);
	mw_process_unref(last);
}

static void children_share_what_was_executed(void **state)
{
	(void)state;
	struct mw_process *parent = process_named(1, NULL, "init");
	struct mw_process *child = mw_process_new(2, parent, 5);
	assert_ptr_equal(child->image, parent->image);
	mw_process_set_image(parent, mw_image_new());
	assert_string_equal(child->image->name, "init");
	mw_process_unref(parent);
	assert_int_equal(child->parent->pid, 1);
	mw_process_unref(child);
}

static void events_say_where_they_happened(void **state)
{
	(void)state;
	struct mw_identity identity = {0};
	const struct mw_event event = {.kind = MW_SENSOR_HEALTH, .id = "x-1", .identity = &identity};
	struct mw_value value;
	assert_int_equal(mw_shape_get(&mw_event_shape, &event, "container", &value), 0);
	assert_int_equal(value.type, MW_NONE);

	assert_int_equal(mw_identity_set(&identity, "task_id", "old"), 0);
	assert_int_equal(mw_identity_set(&identity, "task_id", "0123"), 0);
	assert_int_equal(mw_identity_set(&identity, "region", ""), 0);
	assert_int_equal(mw_identity_set(&identity, "log_driver", "x"), -ENOENT);
	struct mw_buf buf = MW_BUF(10000);
	mw_shape_json(&buf, &mw_event_shape, &event);
	assert_string_equal(buf.data, "{\"time\":\"1970-01-01T00:00:00.000000000Z\",\"kind\":\"sensor.health\","
				      "\"id\":\"x-1\",\"ecs\":{\"task_id\":\"0123\"}}");
	assert_int_equal(mw_identity_set(&identity, "container_name", "web"), 0);
	const struct mw_alert alert = {.event = &event};
	assert_int_equal(mw_shape_get(&mw_alert_shape, &alert, "container.name", &value), 0);
	assert_string_equal(value.text, "web");
	mw_buf_release(&buf);
	mw_identity_release(&identity);
}

static void kinds_are_found_by_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MW_EVENT_KINDS; i++) {
		enum mw_event_kind kind;
		assert_int_equal(mw_event_kind_from_name(mw_event_kinds[i].name, &kind), 0);
		assert_int_equal(kind, i);
		assert_true(strlen(mw_event_kinds[i].doc) > 0);
	}
	enum mw_event_kind kind;
	assert_int_equal(mw_event_kind_from_name("process.", &kind), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_has_every_field_once),       cmocka_unit_test(paths_reach_nested_fields),
		cmocka_unit_test(chains_of_ancestors_are_bounded), cmocka_unit_test(children_share_what_was_executed),
		cmocka_unit_test(kinds_are_found_by_name),         cmocka_unit_test(events_say_where_they_happened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
