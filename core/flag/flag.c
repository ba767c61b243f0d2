/* Values of flags, and the ways they are written: arguments, environment, file.  All end in mw_flags_set_at(), which
 * checks the value and decides by source whether it is kept. */
#include "flag/flag.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/nearest.h"

enum {
	/* Longest name of a flag, or what is taken for one. */
	NAME_BYTES = 64,
	/* What a message quotes of a bad value. */
	QUOTE_CHARACTERS = 60,
};

struct value {
	int64_t integer; /* MW_FLAG_INT, MW_FLAG_BOOL */
	char *text;      /* MW_FLAG_TEXT, MW_FLAG_ENUM; NULL: the default */
	char *origin;    /* NULL: none */
	enum mw_flag_source source;
};

struct mw_flags {
	struct value values[MW_FLAG_COUNT];
	char *rules; /* see mw_flags_set_rules() */
};

struct mw_flags *mw_flags_new(void)
{
	struct mw_flags *flags = calloc(1, sizeof(*flags));
	for (size_t i = 0; flags && i < MW_FLAG_COUNT; i++)
		flags->values[i].integer = mw_flag_list[i].def;
	return flags;
}

void mw_flags_free(struct mw_flags *flags)
{
	for (size_t i = 0; flags && i < MW_FLAG_COUNT; i++) {
		free(flags->values[i].text);
		free(flags->values[i].origin);
	}
	if (flags)
		free(flags->rules);
	free(flags);
}

int mw_flags_set_rules(struct mw_flags *flags, const char *json)
{
	char *copy = strdup(json);
	if (!copy)
		return -ENOMEM;
	free(flags->rules);
	flags->rules = copy;
	return 0;
}

const char *mw_flags_rules(const struct mw_flags *flags)
{
	return flags->rules ? flags->rules : "";
}

struct mw_flags *mw_flags_copy(const struct mw_flags *flags)
{
	struct mw_flags *copy = mw_flags_new();
	for (size_t i = 0; copy && i < MW_FLAG_COUNT; i++) {
		const struct value *from = &flags->values[i];
		struct value *to = &copy->values[i];
		to->integer = from->integer;
		to->source = from->source;
		to->text = from->text ? strdup(from->text) : NULL;
		to->origin = from->origin ? strdup(from->origin) : NULL;
		if ((from->text && !to->text) || (from->origin && !to->origin)) {
			mw_flags_free(copy);
			return NULL;
		}
	}
	if (copy && flags->rules && mw_flags_set_rules(copy, flags->rules) < 0) {
		mw_flags_free(copy);
		return NULL;
	}
	return copy;
}

const struct mw_flag *mw_flag_find(const char *name)
{
	for (size_t i = 0; i < MW_FLAG_COUNT; i++)
		if (strcmp(mw_flag_list[i].name, name) == 0 ||
		    (mw_flag_list[i].alias && strcmp(mw_flag_list[i].alias, name) == 0))
			return &mw_flag_list[i];
	return NULL;
}

const char *mw_flag_nearest(const char *name)
{
	struct mw_nearest nearest = {.word = name};
	for (size_t i = 0; i < MW_FLAG_COUNT; i++)
		mw_nearest_try(&nearest, mw_flag_list[i].name);
	for (size_t i = 0; i < MW_FLAG_COUNT; i++)
		if (mw_flag_list[i].alias)
			mw_nearest_try(&nearest, mw_flag_list[i].alias);
	return nearest.name;
}

static int parse_bool(const struct mw_flag *flag, const char *text, int64_t *ret, struct mw_err *err)
{
	static const char *const words[] = {"false", "true", "no", "yes", "0", "1"}; /* false ones are even */
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*ret = i % 2;
			return 0;
		}
	}
	return mw_err_set(err, -EINVAL, "--%s takes true or false, not \"%.*s\"", flag->name, QUOTE_CHARACTERS, text);
}

static int parse_int(const struct mw_flag *flag, const char *text, int64_t *ret, struct mw_err *err)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (end == text || *end || isspace((unsigned char)*text))
		return mw_err_set(err, -EINVAL, "--%s takes a whole number from %lld to %lld, not \"%.*s\"", flag->name,
				  (long long)flag->min, (long long)flag->max, QUOTE_CHARACTERS, text);
	if (errno == ERANGE || value < flag->min || value > flag->max)
		return mw_err_set(err, -ERANGE, "--%s=%.*s is out of range; it goes from %lld to %lld", flag->name,
				  QUOTE_CHARACTERS, text, (long long)flag->min, (long long)flag->max);
	*ret = value;
	return 0;
}

static int check_text(const struct mw_flag *flag, const char *text, struct mw_err *err)
{
	if (strlen(text) >= MW_FLAG_TEXT_BYTES)
		return mw_err_set(err, -ERANGE, "--%s is longer than %d bytes", flag->name, MW_FLAG_TEXT_BYTES - 1);
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return mw_err_set(err, -EINVAL, "--%s holds a control character (\\x%02x at byte %zu)",
					  flag->name, (unsigned char)*c, (size_t)(c - text) + 1);
	return 0;
}

static int check_prefix(const struct mw_flag *flag, const char *text, struct mw_err *err)
{
	MW_AUTO(mw_buf) known = MW_BUF(MW_ERR_BYTES);
	for (const char *const *prefix = flag->prefixes; prefix && *prefix; prefix++) {
		if (strncmp(text, *prefix, strlen(*prefix)) == 0 && text[strlen(*prefix)])
			return 0;
		mw_buf_printf(&known, "%s%s…", prefix == flag->prefixes ? "" : ", ", *prefix);
	}
	if (!flag->prefixes || !*text)
		return 0;
	return mw_err_set(
		err, -EINVAL,
		"--%s says where the value is, and never holds it, since arguments and variables can be read by "
		"others; it takes %s",
		flag->name, known.data ? known.data : "");
}

static int check_choice(const struct mw_flag *flag, const char *text, struct mw_err *err)
{
	struct mw_nearest nearest = {.word = text};
	for (const char *const *choice = flag->choices; *choice; choice++) {
		if (strcmp(*choice, text) == 0)
			return 0;
		mw_nearest_try(&nearest, *choice);
	}
	MW_AUTO(mw_buf) known = MW_BUF(MW_ERR_BYTES);
	for (const char *const *choice = flag->choices; *choice; choice++)
		mw_buf_printf(&known, "%s%s", choice == flag->choices ? "" : ", ", *choice);
	return mw_err_set(err, -EINVAL, "--%s knows no \"%.*s\"%s%s%s; it takes one of: %s", flag->name,
			  QUOTE_CHARACTERS, text, nearest.name ? ", did you mean " : "",
			  nearest.name ? nearest.name : "", nearest.name ? "?" : "", known.data ? known.data : "");
}

static int unknown_flag(const char *name, struct mw_err *err)
{
	const char *nearest = mw_flag_nearest(name);
	if (nearest)
		return mw_err_set(err, -ENOENT, "unknown flag --%.*s; did you mean --%s?", QUOTE_CHARACTERS, name,
				  nearest);
	return mw_err_set(err, -ENOENT, "unknown flag --%.*s; `moonwatch config explain` lists all", QUOTE_CHARACTERS,
			  name);
}

/* The checked value of `text`, in new memory where it has any. */
static int parse_value(const struct mw_flag *flag, const char *text, struct value *ret, struct mw_err *err)
{
	int r = 0;
	switch (flag->type) {
	case MW_FLAG_BOOL:
		return parse_bool(flag, text, &ret->integer, err);
	case MW_FLAG_INT:
		return parse_int(flag, text, &ret->integer, err);
	case MW_FLAG_ENUM:
		r = check_choice(flag, text, err);
		break;
	case MW_FLAG_TEXT:
		r = check_text(flag, text, err);
		if (r == 0)
			r = check_prefix(flag, text, err);
		break;
	}
	if (r < 0)
		return r;
	ret->text = strdup(text);
	return ret->text ? 0 : mw_err_set(err, -ENOMEM, "out of memory");
}

/* The checked value, likewise, and the flag it is for. */
static int take_value(const char *name, const char *text, enum mw_flag_source source, const struct mw_flag **ret_flag,
		      struct value *ret, struct mw_err *err)
{
	const struct mw_flag *flag = mw_flag_find(name);
	if (!flag)
		return unknown_flag(name, err);
	if (!text && flag->type != MW_FLAG_BOOL)
		return mw_err_set(err, -EINVAL, "--%s wants a value: --%s=…", name, name);

	if (flag->is_local && (source == MW_FROM_PROFILE || source == MW_FROM_BACKEND))
		return mw_err_set(err, -EPERM,
				  "--%s can only be set on the command line, in the environment or in a flag file",
				  name);
	*ret_flag = flag;
	return parse_value(flag, text ? text : "true", ret, err);
}

int mw_flags_check(const char *name, const char *text, enum mw_flag_source source, struct mw_err *err)
{
	const struct mw_flag *flag;
	struct value value = {.source = source};
	int r = take_value(name, text, source, &flag, &value, err);
	free(value.text);
	return r;
}

void mw_flags_reset(struct mw_flags *flags, enum mw_flag_id id, enum mw_flag_source source)
{
	struct value *value = &flags->values[id];
	if (value->source != source)
		return;
	free(value->text);
	free(value->origin);
	*value = (struct value){.integer = mw_flag_list[id].def};
}

int mw_flags_set_at(struct mw_flags *flags, const char *name, const char *text, enum mw_flag_source source,
		    const char *origin, struct mw_err *err)
{
	const struct mw_flag *flag;
	struct value value = {.source = source};
	int r = take_value(name, text, source, &flag, &value, err);
	if (r < 0)
		return r;
	value.origin = origin && *origin ? strdup(origin) : NULL;
	if (origin && *origin && !value.origin) {
		free(value.text);
		return mw_err_set(err, -ENOMEM, "out of memory");
	}

	/* A value that loses is still checked above: a mistake is one whichever source wins. */
	struct value *kept = &flags->values[flag - mw_flag_list];
	struct value loser = value;
	if (source >= kept->source) {
		loser = *kept;
		*kept = value;
	}
	free(loser.text);
	free(loser.origin);
	return 0;
}

int mw_flags_set(struct mw_flags *flags, const char *name, const char *text, enum mw_flag_source source,
		 struct mw_err *err)
{
	return mw_flags_set_at(flags, name, text, source, NULL, err);
}

/* --no-name and --noname, gflags' way to write false.  NULL when `name` is not of that kind. */
static const struct mw_flag *negated(const char *name)
{
	if (strncmp(name, "no", 2) != 0)
		return NULL;
	const struct mw_flag *flag = mw_flag_find(name + (name[2] == '-' ? 3 : 2));
	return flag && flag->type == MW_FLAG_BOOL ? flag : NULL;
}

/* One word `--name[=value]`; `next` is the word after it, or NULL where there can be none.  Returns how many of the two
 * were taken. */
static int set_word(struct mw_flags *flags, const char *word, const char *next, enum mw_flag_source source,
		    const char *origin, struct mw_err *err)
{
	const char *equals = strchr(word, '=');
	size_t length = (equals ? (size_t)(equals - word) : strlen(word)) - 2;
	char name[NAME_BYTES + 1];
	if (length > NAME_BYTES)
		return mw_err_set(err, -ENOENT, "unknown flag %.*s…; `moonwatch config explain` lists all",
				  QUOTE_CHARACTERS, word);
	memcpy(name, word + 2, length);
	name[length] = '\0';

	const struct mw_flag *flag = mw_flag_find(name);
	if (!flag && (flag = negated(name))) {
		if (equals)
			return mw_err_set(err, -EINVAL, "--%s takes no value; write --%s or --%s=false", name, name,
					  flag->name);
		int r = mw_flags_set_at(flags, flag->name, "false", source, origin, err);
		return r < 0 ? r : 1;
	}
	bool takes_next = flag && flag->type != MW_FLAG_BOOL && !equals && next;
	const char *text = equals ? equals + 1 : takes_next ? next : NULL;
	int r = mw_flags_set_at(flags, name, text, source, origin, err);
	return r < 0 ? r : takes_next ? 2 : 1;
}

int mw_flags_parse_arguments(struct mw_flags *flags, int argc, char *const *argv, int *ret_rest, struct mw_err *err)
{
	int i = 0;
	while (i < argc && argv[i][0] == '-' && argv[i][1]) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (argv[i][1] != '-')
			return mw_err_set(err, -ENOENT, "unknown flag %.*s; flags begin with two dashes",
					  QUOTE_CHARACTERS, argv[i]);
		int taken =
			set_word(flags, argv[i], i + 1 < argc ? argv[i + 1] : NULL, MW_FROM_COMMAND_LINE, NULL, err);
		if (taken < 0)
			return taken;
		i += taken;
	}
	*ret_rest = i < argc ? i : argc;
	return 0;
}

static const char environment_prefix[] = "MOONWATCH_";

static void warn_slip(const char *variable, int variable_bytes, const char *nearest, struct mw_err *ret_warning)
{
	char capitals[NAME_BYTES + 1] = "";
	for (size_t i = 0; nearest[i] && i < NAME_BYTES; i++)
		capitals[i] = (char)toupper((unsigned char)nearest[i]);
	(void)mw_err_set(ret_warning, 0, "environment: %.*s is no flag, ignored; did you mean %s%s?", variable_bytes,
			 variable, environment_prefix, capitals);
}

/* UPTYCS_HOSTNAME: a backend and what kind it is; what MOONWATCH_… say of them replaces it. */
static int take_uptycs(struct mw_flags *flags, const char *entry, struct mw_err *err)
{
	static const char name[] = "UPTYCS_HOSTNAME=";
	if (strncmp(entry, name, sizeof(name) - 1) != 0 || !entry[sizeof(name) - 1])
		return 0;
	int r = mw_flags_set(flags, "tls_hostname", entry + sizeof(name) - 1, MW_FROM_ENVIRONMENT, err);
	if (r == 0)
		r = mw_flags_set(flags, "backend", "uptycs", MW_FROM_ENVIRONMENT, err);
	if (r < 0)
		mw_err_prefix(err, "environment, UPTYCS_HOSTNAME");
	return r;
}

int mw_flags_parse_environment(struct mw_flags *flags, char *const *environment, struct mw_err *ret_warning,
			       struct mw_err *err)
{
	const size_t prefix = sizeof(environment_prefix) - 1;
	int r = 0;
	if (ret_warning)
		ret_warning->text[0] = '\0';
	for (char *const *entry = environment; *entry && r == 0; entry++)
		r = take_uptycs(flags, *entry, err);
	if (r < 0)
		return r;
	for (; *environment; environment++) {
		const char *entry = *environment;
		const char *equals = strchr(entry, '=');
		if (!equals || strncmp(entry, environment_prefix, prefix) != 0)
			continue;
		size_t length = (size_t)(equals - entry) - prefix;
		char name[NAME_BYTES + 1];
		if (length > NAME_BYTES)
			continue;
		for (size_t i = 0; i < length; i++)
			name[i] = (char)tolower((unsigned char)entry[prefix + i]);
		name[length] = '\0';

		if (!mw_flag_find(name)) {
			const char *nearest = mw_flag_nearest(name);
			if (nearest && ret_warning && !ret_warning->text[0])
				warn_slip(entry, (int)(equals - entry), nearest, ret_warning);
			continue;
		}
		if (!equals[1])
			continue;
		r = mw_flags_set(flags, name, equals + 1, MW_FROM_ENVIRONMENT, err);
		if (r < 0) {
			mw_err_prefix(err, "environment, %.*s", (int)(equals - entry), entry);
			return r;
		}
	}
	return 0;
}

static int set_line(struct mw_flags *flags, const char *line, const char *path, struct mw_err *err)
{
	if (strncmp(line, "--", 2) != 0 || !line[2])
		return mw_err_set(err, -EINVAL, "\"%.*s\" is no flag; a line reads --name=value", QUOTE_CHARACTERS,
				  line);
	static const char self[] = "--flagfile";
	size_t n = sizeof(self) - 1;
	if (strncmp(line, self, n) == 0 && (line[n] == '=' || !line[n]))
		return mw_err_set(err, -EINVAL, "a flag file cannot name another; take --flagfile out");
	int taken = set_word(flags, line, NULL, MW_FROM_FILE, path, err);
	return taken < 0 ? taken : 0;
}

static int parse_lines(struct mw_flags *flags, const struct mw_buf *file, const char *path, struct mw_err *err)
{
	char *line = file->data;
	char *end_of_file = file->data + file->size;
	for (unsigned number = 1; line < end_of_file; number++) {
		char *end = memchr(line, '\n', (size_t)(end_of_file - line));
		char *next = end ? end + 1 : end_of_file;
		end = end ? end : end_of_file;
		while (line < end && isspace((unsigned char)*line))
			line++;
		while (end > line && isspace((unsigned char)end[-1]))
			end--;
		*end = '\0'; /* at the end of the file this is the buffer's own NUL */
		int r = 0;
		if (strlen(line) != (size_t)(end - line))
			r = mw_err_set(err, -EINVAL, "holds a NUL byte; a flag file is text");
		else if (*line && *line != '#')
			r = set_line(flags, line, path, err);
		if (r < 0) {
			mw_err_prefix(err, "%s:%u", path, number);
			return r;
		}
		line = next;
	}
	return 0;
}

int mw_flags_parse_file(struct mw_flags *flags, const char *path, struct mw_err *err)
{
	/* O_NONBLOCK: a FIFO under that name must not hold the application back. */
	MW_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return mw_err_set(err, -errno, "flag file %s: %s", path, strerror(errno));
	int r = mw_file_trusted(fd, path, err);
	if (r < 0)
		return r;
	MW_AUTO(mw_buf) file = MW_BUF(MW_FLAG_FILE_BYTES);
	r = mw_file_read_fd(fd, &file);
	if (r == -EFBIG)
		return mw_err_set(err, r, "flag file %s: longer than %d bytes", path, MW_FLAG_FILE_BYTES);
	if (r < 0)
		return mw_err_set(err, r, "flag file %s: %s", path, strerror(-r));
	return parse_lines(flags, &file, path, err);
}

bool mw_flag_bool(const struct mw_flags *flags, enum mw_flag_id id)
{
	return flags->values[id].integer != 0;
}

int64_t mw_flag_int(const struct mw_flags *flags, enum mw_flag_id id)
{
	return flags->values[id].integer;
}

int mw_flag_choice(const struct mw_flags *flags, enum mw_flag_id id)
{
	const char *text = mw_flag_text(flags, id);
	const char *const *choices = mw_flag_list[id].choices;
	for (int i = 0; choices && choices[i]; i++)
		if (strcmp(choices[i], text) == 0)
			return i;
	return 0; /* a value is checked when it is set */
}

const char *mw_flag_text(const struct mw_flags *flags, enum mw_flag_id id)
{
	const char *text = flags->values[id].text;
	if (!text)
		text = mw_flag_list[id].def_text;
	return text ? text : "";
}

enum mw_flag_source mw_flag_source(const struct mw_flags *flags, enum mw_flag_id id)
{
	return flags->values[id].source;
}

const char *mw_flag_source_name(enum mw_flag_source source)
{
	static const char *const names[] = {
		[MW_FROM_DEFAULT] = "default",
		[MW_FROM_PROFILE] = "profile",
		[MW_FROM_BACKEND] = "backend",
		[MW_FROM_CONFIG] = "configuration file",
		[MW_FROM_FILE] = "flag file",
		[MW_FROM_ENVIRONMENT] = "environment",
		[MW_FROM_COMMAND_LINE] = "command line",
	};
	return names[source];
}

const char *mw_flag_origin(const struct mw_flags *flags, enum mw_flag_id id)
{
	const char *origin = flags->values[id].origin;
	return origin ? origin : "";
}

static void format_int(const struct mw_flag *flag, int64_t value, struct mw_buf *out)
{
	if (flag->type == MW_FLAG_BOOL)
		mw_buf_str(out, value ? "true" : "false");
	else
		mw_buf_int(out, value);
}

void mw_flag_format(const struct mw_flags *flags, enum mw_flag_id id, struct mw_buf *out)
{
	const struct mw_flag *flag = &mw_flag_list[id];
	if (flag->type == MW_FLAG_BOOL || flag->type == MW_FLAG_INT)
		format_int(flag, flags->values[id].integer, out);
	else
		mw_buf_str(out, mw_flag_text(flags, id));
}

void mw_flag_help(struct mw_buf *out)
{
	for (size_t i = 0; i < MW_FLAG_COUNT; i++) {
		const struct mw_flag *flag = &mw_flag_list[i];
		mw_buf_printf(out, "  --%s=", flag->name);
		if (flag->type == MW_FLAG_BOOL || flag->type == MW_FLAG_INT)
			format_int(flag, flag->def, out);
		else
			mw_buf_str(out, flag->def_text ? flag->def_text : "");
		mw_buf_printf(out, "\n      %s", flag->doc);
		if (flag->type == MW_FLAG_INT)
			mw_buf_printf(out, " (%lld to %lld)", (long long)flag->min, (long long)flag->max);
		if (flag->alias)
			mw_buf_printf(out, " Also --%s.", flag->alias);
		mw_buf_char(out, '\n');
	}
}
