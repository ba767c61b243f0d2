#include "sql/yara.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
	/* Of each list of what was found. */
	FOUND_BYTES = 64 << 10,
};

void mw_yara_found_init(struct mw_yara_found *found)
{
	*found = (struct mw_yara_found){
		.rules = MW_BUF(FOUND_BYTES),
		.tags = MW_BUF(FOUND_BYTES),
		.strings = MW_BUF(FOUND_BYTES),
	};
}

void mw_yara_found_release(struct mw_yara_found *found)
{
	mw_buf_release(&found->rules);
	mw_buf_release(&found->tags);
	mw_buf_release(&found->strings);
}

#ifndef MOONWATCH_YARA

int mw_yara_compile(const struct mw_yara_text *text, struct mw_yara **ret_rules, struct mw_err *err)
{
	(void)text;
	(void)ret_rules;
	return mw_err_set(err, -ENOSYS, "libyara is not built in");
}

struct mw_yara *mw_yara_ref(struct mw_yara *rules)
{
	return rules;
}

void mw_yara_unref(struct mw_yara *rules)
{
	(void)rules;
}

int mw_yara_scan(struct mw_yara *rules, const void *bytes, size_t n, int seconds, struct mw_yara_found *found)
{
	(void)rules, (void)bytes, (void)n, (void)seconds, (void)found;
	return -ENOSYS;
}

int mw_yara_scan_process(struct mw_yara *rules, pid_t pid, int seconds, struct mw_yara_found *found)
{
	(void)rules, (void)pid, (void)seconds, (void)found;
	return -ENOSYS;
}

#else

#include <dlfcn.h>
#include <pthread.h>
#include <yara.h>

#include "base/thread.h"

enum {
	/* The compiler goes down into regular expressions by recursion, RE_MAX_AST_LEVELS deep. */
	STACK_BYTES = 16 << 20,
	/* Of a process's memory at once. */
	CHUNK_BYTES = 16 << 20,
	STRINGS_PER_RULE = 10000,
};

#define FUNCTIONS(X) \
	X(compiler_add_string) \
	X(compiler_create) \
	X(compiler_destroy) \
	X(compiler_get_rules) \
	X(compiler_set_callback) \
	X(compiler_set_include_callback) \
	X(initialize) \
	X(rules_destroy) \
	X(scanner_create) \
	X(scanner_destroy) \
	X(scanner_scan_mem) \
	X(scanner_scan_proc) \
	X(scanner_set_callback) \
	X(scanner_set_flags) \
	X(scanner_set_timeout) \
	X(set_configuration_uint32) \
	X(set_configuration_uint64)

// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration
#define MEMBER(name) __typeof__(&yr_##name) name;
static struct functions {
	FUNCTIONS(MEMBER)
} yara;

struct mw_yara {
	unsigned refs;
	YR_RULES *rules;
};

static struct {
	pthread_once_t once;
	int result;
	struct mw_err err;
} loading = {.once = PTHREAD_ONCE_INIT};

static int load(struct mw_err *err)
{
	static const struct {
		const char *name;
		size_t offset;
	} symbols[] = {
#define SYMBOL(name) {"yr_" #name, offsetof(struct functions, name)},
		FUNCTIONS(SYMBOL)
#undef SYMBOL
	};
	void *library = dlopen(MOONWATCH_YARA, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return mw_err_set(err, -ENOSYS, "libyara is not there (%s); install the package libyara9 (Debian)",
				  dlerror());
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		void *symbol = dlsym(library, symbols[i].name);
		if (!symbol)
			return mw_err_set(err, -ENOSYS, "%s has no %s", MOONWATCH_YARA, symbols[i].name);
		memcpy((char *)&yara + symbols[i].offset, (const void *)&symbol, sizeof(symbol));
	}
	if (yara.initialize() != ERROR_SUCCESS)
		return mw_err_set(err, -ENOSYS, "libyara does not begin");
	(void)yara.set_configuration_uint32(YR_CONFIG_MAX_STRINGS_PER_RULE, STRINGS_PER_RULE);
	(void)yara.set_configuration_uint64(YR_CONFIG_MAX_PROCESS_MEMORY_CHUNK, CHUNK_BYTES);
	return 0;
}

static void load_once(void)
{
	loading.result = load(&loading.err);
}

/* --- compiling --- */

struct job {
	const struct mw_yara_text *text;
	YR_RULES *rules;
	int result;
	struct mw_err *err;
};

static void note_error(int level, const char *file, int line, const YR_RULE *rule, const char *message, void *data)
{
	struct job *job = data;
	(void)rule;
	if (level != YARA_ERROR_LEVEL_ERROR || job->result < 0)
		return;                /* the first one says it best */
	char place[24] = "at the end"; /* of a text without a last newline */
	if (line > 0)
		(void)snprintf(place, sizeof(place), "line %d", line);
	job->result = mw_err_set(job->err, -EINVAL, "%s%s%s: %s", file ? file : "", file ? ": " : "", place, message);
}

static const char *include_text(const char *name, const char *file, const char *space, void *data)
{
	struct job *job = data;
	(void)file;
	(void)space;
	return job->text->include(job->text->data, name);
}

static void free_text(const char *text, void *data)
{
	(void)data;
	free((char *)text);
}

static void *compile(void *data)
{
	struct job *job = data;
	YR_COMPILER *compiler;
	if (yara.compiler_create(&compiler) != ERROR_SUCCESS) {
		job->result = mw_err_set(job->err, -ENOMEM, "out of memory");
		return NULL;
	}
	yara.compiler_set_callback(compiler, note_error, job);
	yara.compiler_set_include_callback(compiler, job->text->include ? include_text : NULL, free_text, job);
	int errors = yara.compiler_add_string(compiler, job->text->text, NULL);
	if (errors == 0 && job->result == 0)
		errors = yara.compiler_get_rules(compiler, &job->rules);
	if (errors != 0 && job->result == 0)
		job->result = mw_err_set(job->err, -EINVAL, "cannot be compiled (libyara's error %d)", errors);
	yara.compiler_destroy(compiler);
	return NULL;
}

int mw_yara_compile(const struct mw_yara_text *text, struct mw_yara **ret_rules, struct mw_err *err)
{
	(void)pthread_once(&loading.once, load_once);
	if (loading.result < 0)
		return mw_err_set(err, loading.result, "%s", loading.err.text);
	if (memchr(text->text, '\0', text->bytes))
		return mw_err_set(err, -EINVAL, "is no text; rules that were compiled before are not read");
	struct mw_err own;
	struct job job = {.text = text, .err = err ? err : &own};
	pthread_t thread;
	int r = mw_thread_start(&thread, STACK_BYTES, compile, &job);
	if (r < 0)
		return mw_err_set(err, r, "no thread to compile it: %s", strerror(-r));
	(void)pthread_join(thread, NULL);
	if (job.result < 0)
		return job.result;
	struct mw_yara *rules = malloc(sizeof(*rules));
	if (!rules) {
		(void)yara.rules_destroy(job.rules);
		return mw_err_set(err, -ENOMEM, "out of memory");
	}
	*rules = (struct mw_yara){.refs = 1, .rules = job.rules};
	*ret_rules = rules;
	return 0;
}

struct mw_yara *mw_yara_ref(struct mw_yara *rules)
{
	rules->refs++;
	return rules;
}

void mw_yara_unref(struct mw_yara *rules)
{
	if (!rules || --rules->refs)
		return;
	(void)yara.rules_destroy(rules->rules);
	free(rules);
}

/* --- scanning --- */

static void add_name(struct mw_buf *to, const char *name)
{
	mw_buf_printf(to, "%s%s", to->size ? "," : "", name);
}

/* Not by yr_string_matches_foreach(): libyara does not align them. */
static void add_matches(const YR_SCAN_CONTEXT *context, const YR_STRING *string, struct mw_buf *to)
{
	const void *at = context->matches[string->idx].head;
	while (at && !to->failed) {
		YR_MATCH match;
		memcpy(&match, at, sizeof(match));
		if (!match.is_private)
			mw_buf_printf(to, "%s%s:%" PRIx64, to->size ? "," : "", string->identifier,
				      (uint64_t)match.base + (uint64_t)match.offset);
		at = match.next;
	}
}

static void add_rule(YR_SCAN_CONTEXT *context, const YR_RULE *rule, struct mw_yara_found *found)
{
	const char *tag;
	const YR_STRING *string;
	found->count++;
	add_name(&found->rules, rule->identifier);
	yr_rule_tags_foreach(rule, tag) add_name(&found->tags, tag);
	yr_rule_strings_foreach(rule, string) add_matches(context, string, &found->strings);
}

/* A string that matches more often than libyara counts is no reason to stop. */
static int take(YR_SCAN_CONTEXT *context, int message, void *what, void *data)
{
	if (message == CALLBACK_MSG_RULE_MATCHING)
		add_rule(context, what, data);
	return CALLBACK_CONTINUE;
}

static int begin(struct mw_yara *rules, int seconds, struct mw_yara_found *found, YR_SCANNER **ret_scanner)
{
	YR_SCANNER *scanner;
	if (yara.scanner_create(rules->rules, &scanner) != ERROR_SUCCESS)
		return -ENOMEM;
	yara.scanner_set_callback(scanner, take, found);
	yara.scanner_set_timeout(scanner, seconds > 0 ? seconds : 1);
	/* Signals are the program's; what is scanned is memory of ours, which does not go away. */
	yara.scanner_set_flags(scanner,
			       SCAN_FLAGS_FAST_MODE | SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
	*ret_scanner = scanner;
	return 0;
}

static int end(YR_SCANNER *scanner, int code)
{
	yara.scanner_destroy(scanner);
	switch (code) {
	case ERROR_SUCCESS:
		return 0;
	case ERROR_SCAN_TIMEOUT:
		return -ETIME;
	case ERROR_INSUFFICIENT_MEMORY:
		return -ENOMEM;
	case ERROR_COULD_NOT_ATTACH_TO_PROCESS:
	case ERROR_COULD_NOT_READ_PROCESS_MEMORY:
		return -EACCES;
	default:
		return -EIO;
	}
}

int mw_yara_scan(struct mw_yara *rules, const void *bytes, size_t n, int seconds, struct mw_yara_found *found)
{
	YR_SCANNER *scanner;
	int r = begin(rules, seconds, found, &scanner);
	return r < 0 ? r : end(scanner, yara.scanner_scan_mem(scanner, bytes, n));
}

int mw_yara_scan_process(struct mw_yara *rules, pid_t pid, int seconds, struct mw_yara_found *found)
{
	YR_SCANNER *scanner;
	int r = begin(rules, seconds, found, &scanner);
	return r < 0 ? r : end(scanner, yara.scanner_scan_proc(scanner, (int)pid));
}

#endif
