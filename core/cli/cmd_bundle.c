/* moonwatch bundle: rules in one signed file; what that is says core/bundle/bundle.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/nearest.h"
#include "bundle/bundle.h"
#include "cli/command.h"
#include "flag/flag.h"
#include "rule/engine.h"
#include "rule/files.h"

enum {
	KEY_FILE_BYTES = 4096,
	ID_BYTES = 2 * MW_BUNDLE_KEY_ID_BYTES + 1,
};

/* --name=value */
struct options {
	const char *name, *version, *rollback_from, *output, *key, *keys;
};

static const struct option {
	const char *name;
	size_t at;
} option_list[] = {
	{"--key=", offsetof(struct options, key)},
	{"--keys=", offsetof(struct options, keys)},
	{"--name=", offsetof(struct options, name)},
	{"--output=", offsetof(struct options, output)},
	{"--rollback_from=", offsetof(struct options, rollback_from)},
	{"--version=", offsetof(struct options, version)},
};

/* "-": what is read or written is standard input or output. */
static int read_input(const char *path, struct mw_buf *out)
{
	int r = strcmp(path, "-") == 0 ? mw_file_read_fd(STDIN_FILENO, out) : mw_file_read_at(AT_FDCWD, path, out);
	if (r < 0)
		mw_complain("%s: %s", path, strerror(-r));
	return r;
}

static int write_output(const char *path, const void *bytes, size_t n, mode_t mode, bool is_new)
{
	bool is_standard = strcmp(path, "-") == 0;
	int fd = is_standard ? STDOUT_FILENO
			     : open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (is_new ? O_EXCL : O_TRUNC), mode);
	int r = fd < 0 ? -errno : 0;
	for (const char *from = bytes; n && r == 0;) {
		ssize_t written = write(fd, from, n);
		if (written < 0 && errno != EINTR)
			r = -errno;
		if (written > 0) {
			from += written;
			n -= (size_t)written;
		}
	}
	if (fd >= 0 && !is_standard && close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		mw_complain("%s: %s", path, strerror(-r));
	return r;
}

static int fail(const struct mw_err *err)
{
	mw_complain("bundle: %s", err->text);
	return MW_EXIT_NO;
}

static void on_finding(void *data, const char *line)
{
	unsigned *findings = data;
	(*findings)++;
	fprintf(stderr, "%s\n", line);
}

/* Rules that would be refused are refused here. */
static bool are_good(const char *folder)
{
	unsigned findings = 0;
	struct mw_err err;
	struct mw_rules *rules = NULL;
	const char *const paths[] = {folder, NULL};
	const struct mw_rules_options options = {
		.tree = mw_tree(),
		.extra_dirs = "",
		.memory_bytes = (size_t)mw_flag_list[MW_FLAG_RULE_MEMORY_MIB].def << 20,
		.event_instructions = (uint64_t)mw_flag_list[MW_FLAG_RULE_EVENT_INSTRUCTIONS].def,
		.report = on_finding,
		.data = &findings,
		.paths = paths,
	};
	if (mw_rules_load(&options, &rules, &err) < 0) {
		(void)fail(&err);
		return false;
	}
	mw_rules_free(rules);
	return findings == 0;
}

static void release_files(struct mw_bundle *bundle)
{
	for (size_t i = 0; i < bundle->file_count; i++) {
		free((void *)(uintptr_t)bundle->files[i].path);
		free((void *)(uintptr_t)bundle->files[i].text);
	}
	bundle->file_count = 0;
}

/* The file at `path`, by its path below `folder`, with "rules/" before it. */
static int add_file(struct mw_bundle *bundle, const char *folder, const char *path)
{
	struct mw_buf text = MW_BUF(MW_SCRIPT_BYTES);
	char *name = NULL;
	const char *below = path + strlen(folder);
	below += strspn(below, "/");
	int r = read_input(path, &text);
	if (r == 0 && asprintf(&name, "rules/%s", below) < 0)
		r = -ENOMEM;
	if (r < 0) {
		mw_buf_release(&text);
		return r;
	}
	bundle->files[bundle->file_count++] =
		(struct mw_bundle_file){.path = name, .text = text.data, .bytes = text.size};
	return 0;
}

static int take_word(char out[MW_BUNDLE_WORD_BYTES], const char *text, const char *what)
{
	if (strlen(text) >= MW_BUNDLE_WORD_BYTES) {
		mw_complain("bundle: %s is longer than %d bytes", what, MW_BUNDLE_WORD_BYTES - 1);
		return -EINVAL;
	}
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int build(const struct options *options, const char *folder)
{
	if (!options->version || !options->output) {
		mw_complain("bundle build: --version=VERSION and --output=FILE are needed");
		return MW_EXIT_USAGE;
	}
	struct mw_rule_files files = {0};
	struct mw_err err = {""};
	struct mw_bundle bundle = {.api = MW_BUNDLE_API};
	MW_AUTO(mw_buf) out = MW_BUF(MW_BUNDLE_BYTES);
	if (!*mw_tree() || !are_good(folder))
		return MW_EXIT_NO;
	int r = mw_rule_files_add(&files, folder, 0, &err);
	if (r == 0 && !files.count)
		r = mw_err_set(&err, -ENOENT, "%s: no rules there", folder);
	if (r == 0 && !(bundle.files = calloc(files.count, sizeof(*bundle.files))))
		r = mw_err_set(&err, -ENOMEM, "out of memory");
	if (r == 0)
		r = take_word(bundle.name, options->name ? options->name : "rules", "the name");
	if (r == 0)
		r = take_word(bundle.version, options->version, "the version");
	if (r == 0 && options->rollback_from)
		r = take_word(bundle.rollback_from, options->rollback_from, "the version");
	for (size_t i = 0; i < files.count && r == 0; i++)
		r = add_file(&bundle, folder, files.paths[i]);
	if (r == 0)
		r = mw_bundle_write(&bundle, &out, &err);
	if (r == 0)
		r = write_output(options->output, out.data, out.size, 0644, false);
	else if (err.text[0])
		(void)fail(&err);
	mw_rule_files_release(&files);
	release_files(&bundle);
	free(bundle.files);
	return r < 0 ? MW_EXIT_NO : MW_EXIT_OK;
}

/* A bundle in a file, not checked. */
static int open_file(const char *path, struct mw_buf *bytes, struct mw_bundle_envelope *ret)
{
	struct mw_err err;
	int r = read_input(path, bytes);
	if (r < 0)
		return r;
	r = mw_bundle_open(bytes->data ? bytes->data : "", bytes->size, ret, &err);
	if (r < 0)
		mw_complain("%s: %s", path, err.text);
	return r;
}

static int sign(const struct options *options, const char *path)
{
	MW_AUTO(mw_buf) bytes = MW_BUF(MW_BUNDLE_BYTES);
	MW_AUTO(mw_buf) key = MW_BUF(KEY_FILE_BYTES);
	MW_AUTO(mw_buf) out = MW_BUF(MW_BUNDLE_BYTES);
	struct mw_bundle_envelope envelope;
	unsigned char seed[MW_ED25519_KEY_BYTES];
	struct mw_err err;
	if (!options->key) {
		mw_complain("bundle sign: --key=FILE is needed, made by moonwatch bundle keygen");
		return MW_EXIT_USAGE;
	}
	if (open_file(path, &bytes, &envelope) < 0 || read_input(options->key, &key) < 0)
		return MW_EXIT_NO;
	int r = mw_bundle_seed_parse(key.data ? key.data : "", key.size, seed, &err);
	if (key.data)
		explicit_bzero(key.data, key.size);
	if (r == 0)
		r = mw_bundle_sign(&envelope, seed, &out, &err);
	explicit_bzero(seed, sizeof(seed));
	if (r < 0)
		return fail(&err);
	return write_output(options->output ? options->output : path, out.data, out.size, 0644, false) < 0 ? MW_EXIT_NO
													   : MW_EXIT_OK;
}

/* The keys of --keys: a list, or a file that holds it. */
static int read_keys(const char *text, struct mw_bundle_keys *ret_keys)
{
	MW_AUTO(mw_buf) file = MW_BUF(KEY_FILE_BYTES);
	struct mw_err err;
	if (strncmp(text, "ed25519:", 8) != 0) {
		if (read_input(text, &file) < 0)
			return -EIO;
		text = file.data ? file.data : "";
	}
	int r = mw_bundle_keys_parse(text, ret_keys, &err);
	if (r < 0)
		mw_complain("keys: %s", err.text);
	return r;
}

static int verify(const struct options *options, const char *path)
{
	MW_AUTO(mw_buf) bytes = MW_BUF(MW_BUNDLE_BYTES);
	struct mw_bundle_envelope envelope;
	struct mw_bundle_keys keys;
	const struct mw_bundle_key *key = NULL;
	struct mw_bundle bundle = {.api = 0};
	struct mw_err err;
	char id[ID_BYTES];
	if (!options->keys) {
		mw_complain("bundle verify: --keys=KEY,… or --keys=FILE is needed");
		return MW_EXIT_USAGE;
	}
	if (read_keys(options->keys, &keys) < 0 || open_file(path, &bytes, &envelope) < 0)
		return MW_EXIT_NO;
	int r = mw_bundle_verify(&envelope, &keys, &key, &err);
	if (r == 0)
		r = mw_bundle_read(&envelope, &bundle, &err);
	if (r == 0 && bundle.api > MW_BUNDLE_API)
		r = mw_err_set(&err, -ENOTSUP, "for api %u of rules; this moonwatch has api %d", bundle.api,
			       MW_BUNDLE_API);
	if (r < 0) {
		mw_bundle_release(&bundle);
		mw_complain("%s: %s", path, err.text);
		return MW_EXIT_NO;
	}
	mw_bundle_id_text(key->id, id);
	printf("%s: %s %s, %zu rules, signed by %s\n", path, bundle.name, bundle.version, bundle.file_count, id);
	mw_bundle_release(&bundle);
	return MW_EXIT_OK;
}

static int inspect(const struct options *options, const char *path)
{
	MW_AUTO(mw_buf) bytes = MW_BUF(MW_BUNDLE_BYTES);
	struct mw_bundle_envelope envelope;
	struct mw_bundle bundle;
	struct mw_err err;
	char id[ID_BYTES];
	(void)options;
	if (open_file(path, &bytes, &envelope) < 0)
		return MW_EXIT_NO;
	if (mw_bundle_read(&envelope, &bundle, &err) < 0) {
		mw_complain("%s: %s", path, err.text);
		return MW_EXIT_NO;
	}
	printf("name           %s\nversion        %s\napi            %u\n", bundle.name, bundle.version, bundle.api);
	if (bundle.rollback_from[0])
		printf("rollback-from  %s\n", bundle.rollback_from);
	printf("sha256         %s\nbytes          %zu, %zu unpacked\n", bundle.digest, bytes.size,
	       bundle.unpacked.size);
	for (size_t i = 0; i < envelope.signature_count; i++) {
		mw_bundle_id_text(mw_bundle_signer(&envelope, i), id);
		printf("signature      by key %s, not checked: moonwatch bundle verify\n", id);
	}
	if (!envelope.signature_count)
		printf("signature      none\n");
	for (size_t i = 0; i < bundle.file_count; i++)
		printf("%14zu %s\n", bundle.files[i].bytes, bundle.files[i].path);
	mw_bundle_release(&bundle);
	return MW_EXIT_OK;
}

static int write_key(const char *name, const char *ending, const char *prefix,
		     const unsigned char bytes[MW_ED25519_KEY_BYTES], mode_t mode)
{
	char path[MW_PATH_BYTES];
	char text[MW_BUNDLE_KEY_TEXT_BYTES + 1];
	(void)snprintf(path, sizeof(path), "%s.%s", name, ending);
	mw_bundle_key_text(prefix, bytes, text);
	strncat(text, "\n", 2);
	int r = write_output(path, text, strlen(text), mode, true);
	explicit_bzero(text, sizeof(text));
	return r;
}

static int keygen(const struct options *options, const char *name)
{
	unsigned char seed[MW_ED25519_KEY_BYTES];
	struct mw_bundle_key key;
	struct mw_err err;
	char id[ID_BYTES];
	char text[MW_BUNDLE_KEY_TEXT_BYTES];
	(void)options;
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed)) {
		mw_complain("bundle keygen: getrandom: %s", strerror(errno));
		return MW_EXIT_NO;
	}
	int r = mw_ed25519_public(seed, key.bytes, &err);
	if (r < 0)
		return fail(&err);
	r = write_key(name, "key", "ed25519-private", seed, 0600);
	explicit_bzero(seed, sizeof(seed));
	if (r == 0)
		r = write_key(name, "pub", "ed25519", key.bytes, 0644);
	if (r < 0)
		return MW_EXIT_NO;
	mw_bundle_key_id(&key);
	mw_bundle_id_text(key.id, id);
	mw_bundle_key_text("ed25519", key.bytes, text);
	printf("%s.key: keep it secret\n%s.pub: key %s, for --bundle_keys=%s\n", name, name, id, text);
	return MW_EXIT_OK;
}

static const struct verb {
	const char *name;
	int (*run)(const struct options *options, const char *operand);
	const char *operand;
} verbs[] = {
	{"build", build, "DIR"}, {"inspect", inspect, "FILE"}, {"keygen", keygen, "NAME"},
	{"sign", sign, "FILE"},  {"verify", verify, "FILE"},   {0},
};

static const struct verb *find_verb(const char *name)
{
	struct mw_nearest near = {.word = name};
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (strcmp(verb->name, name) == 0)
			return verb;
		mw_nearest_try(&near, verb->name);
	}
	mw_complain("bundle: unknown '%s'%s%s%s", name, near.name ? "; did you mean '" : "", near.name ? near.name : "",
		    near.name ? "'?" : "");
	return NULL;
}

static bool take_option(struct options *options, const char *argument)
{
	for (size_t i = 0; i < sizeof(option_list) / sizeof(*option_list); i++) {
		size_t n = strlen(option_list[i].name);
		if (strncmp(argument, option_list[i].name, n) == 0) {
			*(const char **)((char *)options + option_list[i].at) = argument + n;
			return true;
		}
	}
	return false;
}

static int run(int argc, char **argv)
{
	struct options options = {0};
	const char *operand = NULL;
	if (argc < 2) {
		mw_complain("bundle: build, sign, verify, inspect or keygen?");
		return MW_EXIT_USAGE;
	}
	const struct verb *verb = find_verb(argv[1]);
	if (!verb)
		return MW_EXIT_USAGE;
	for (int i = 2; i < argc; i++) {
		bool is_output = strcmp(argv[i], "-o") == 0 && i + 1 < argc;
		if (is_output) {
			options.output = argv[++i];
		} else if (argv[i][0] == '-' && argv[i][1]) {
			if (!take_option(&options, argv[i])) {
				mw_complain("bundle %s: unknown option '%s'", verb->name, argv[i]);
				return MW_EXIT_USAGE;
			}
		} else if (operand) {
			mw_complain("bundle %s: one %s, not more: '%s'", verb->name, verb->operand, argv[i]);
			return MW_EXIT_USAGE;
		} else {
			operand = argv[i];
		}
	}
	if (!operand) {
		mw_complain("bundle %s: which %s?", verb->name, verb->operand);
		return MW_EXIT_USAGE;
	}
	return verb->run(&options, operand);
}

const struct mw_command mw_command_bundle = {
	.name = "bundle",
	.usage = "build|sign|verify|inspect|keygen …",
	.summary = "rules in one signed file, for sensors that run: see docs/bundles.md",
	.help = "  build DIR -o FILE --version=VERSION [--name=NAME] [--rollback_from=VERSION]\n"
		"                        put the rules in and below DIR into FILE, once they are found good\n"
		"  sign FILE --key=NAME.key [-o FILE]\n"
		"                        add a signature; more than one key may sign\n"
		"  verify FILE --keys=KEY,…|NAME.pub\n"
		"                        is it signed by one of them, and all as it must be?\n"
		"  inspect FILE          what is in it, and whose the signatures say they are\n"
		"  keygen NAME           make a key to sign with: NAME.key (secret) and NAME.pub\n\n"
		"FILE may be - for standard input or output.\n\n"
		"Exit status: 0; 1 when it is refused, or something failed; 2 for wrong arguments.\n",
	.run = run,
};
