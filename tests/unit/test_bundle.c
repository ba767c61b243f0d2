/* Bundles: what was put in comes out, and what is not exactly so is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "bundle/bundle.h"
#include "bundle/private.h"
#include "bundle/store.h"

static const unsigned char seed[MW_ED25519_KEY_BYTES] = {1, 2, 3};
static const unsigned char other_seed[MW_ED25519_KEY_BYTES] = {4, 5, 6};

static struct mw_bundle_key key_of(const unsigned char from[MW_ED25519_KEY_BYTES])
{
	struct mw_bundle_key key;
	struct mw_err err = {""};
	if (mw_ed25519_public(from, key.bytes, &err) < 0)
		fail_msg("%s", err.text);
	mw_bundle_key_id(&key);
	return key;
}

static const struct mw_bundle_file two_files[] = {
	{.path = "rules/execution/a.lua", .text = "return {}", .bytes = 9},
	{.path = "rules/b.lua", .text = "", .bytes = 0},
};

static struct mw_bundle bundle_of(const char *version)
{
	struct mw_bundle bundle = {
		.name = "n", .api = 1, .files = (struct mw_bundle_file *)(uintptr_t)two_files, .file_count = 2};
	(void)snprintf(bundle.version, sizeof(bundle.version), "%s", version);
	return bundle;
}

static void build(const struct mw_bundle *bundle, struct mw_buf *out)
{
	struct mw_err err = {""};
	if (mw_bundle_write(bundle, out, &err) < 0)
		fail_msg("%s", err.text);
}

static struct mw_bundle_envelope opened(const struct mw_buf *bytes)
{
	struct mw_bundle_envelope envelope;
	struct mw_err err = {""};
	if (mw_bundle_open(bytes->data, bytes->size, &envelope, &err) < 0)
		fail_msg("%s", err.text);
	return envelope;
}

static void what_goes_in_comes_out(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) out = MW_BUF(MW_BUNDLE_BYTES);
	MW_AUTO(mw_buf) again = MW_BUF(MW_BUNDLE_BYTES);
	struct mw_bundle bundle = bundle_of("1.2");
	(void)snprintf(bundle.rollback_from, sizeof(bundle.rollback_from), "1.3");
	build(&bundle, &out);
	build(&bundle, &again);
	assert_int_equal(out.size, again.size);
	assert_memory_equal(out.data, again.data, out.size);
	const struct mw_bundle_envelope envelope = opened(&out);
	struct mw_bundle read;
	assert_int_equal(mw_bundle_read(&envelope, &read, NULL), 0);
	assert_string_equal(read.name, "n");
	assert_string_equal(read.version, "1.2");
	assert_string_equal(read.rollback_from, "1.3");
	assert_int_equal(read.file_count, 2);
	assert_string_equal(read.files[0].path, "rules/execution/a.lua");
	assert_memory_equal(read.files[0].text, "return {}", 9);
	assert_int_equal(read.files[1].bytes, 0);
	mw_bundle_release(&read);
}

static void sign_with(struct mw_buf *bytes, const unsigned char by[MW_ED25519_KEY_BYTES])
{
	struct mw_buf out = MW_BUF(MW_BUNDLE_BYTES);
	struct mw_err err = {""};
	const struct mw_bundle_envelope envelope = opened(bytes);
	if (mw_bundle_sign(&envelope, by, &out, &err) < 0)
		fail_msg("%s", err.text);
	mw_buf_release(bytes);
	*bytes = out;
}

static int verify(const struct mw_buf *bytes, const struct mw_bundle_keys *keys, struct mw_err *err)
{
	const struct mw_bundle_envelope envelope = opened(bytes);
	return mw_bundle_verify(&envelope, keys, NULL, err);
}

static void one_of_the_pinned_keys_must_have_signed(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) bytes = MW_BUF(MW_BUNDLE_BYTES);
	struct mw_err err;
	const struct mw_bundle_keys none = {.count = 0};
	const struct mw_bundle_keys ours = {.list = {key_of(seed)}, .count = 1};
	const struct mw_bundle_keys others = {.list = {key_of(other_seed)}, .count = 1};
	const struct mw_bundle_keys both = {.list = {key_of(other_seed), key_of(seed)}, .count = 2};
	const struct mw_bundle bundle = bundle_of("1");
	build(&bundle, &bytes);
	assert_int_equal(verify(&bytes, &ours, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "not signed"));

	sign_with(&bytes, seed);
	assert_int_equal(verify(&bytes, &ours, &err), 0);
	assert_int_equal(verify(&bytes, &both, &err), 0);
	assert_int_equal(verify(&bytes, &others, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "none of the keys"));
	assert_int_equal(verify(&bytes, &none, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "no key"));

	/* Rotation: both sign for a while. */
	size_t before = bytes.size;
	sign_with(&bytes, other_seed);
	assert_int_equal(bytes.size, before + MW_BUNDLE_KEY_ID_BYTES + MW_ED25519_SIGNATURE_BYTES);
	assert_int_equal(verify(&bytes, &ours, &err), 0);
	assert_int_equal(verify(&bytes, &others, &err), 0);
	sign_with(&bytes, seed);
	assert_int_equal(opened(&bytes).signature_count, 2);
}

/* Of a signed bundle no byte can be changed, but for signatures of nobody we know. */
static void no_byte_can_be_changed(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) bytes = MW_BUF(MW_BUNDLE_BYTES);
	const struct mw_bundle_keys keys = {.list = {key_of(seed)}, .count = 1};
	const struct mw_bundle bundle = bundle_of("1");
	build(&bundle, &bytes);
	sign_with(&bytes, seed);
	for (size_t i = 0; i < bytes.size; i++) {
		struct mw_bundle_envelope envelope;
		bytes.data[i] ^= 1;
		if (mw_bundle_open(bytes.data, bytes.size, &envelope, NULL) == 0 &&
		    mw_bundle_verify(&envelope, &keys, NULL, NULL) == 0)
			fail_msg("byte %zu was changed", i);
		bytes.data[i] ^= 1;
	}
	for (size_t n = 0; n < bytes.size; n++) {
		struct mw_bundle_envelope envelope;
		assert_true(mw_bundle_open(bytes.data, n, &envelope, NULL) < 0);
	}
}

/* Read an archive whose first file is `manifest` (its place for a hash filled in with that of "x"), followed by one of `path`. */
static int read_made(const char *manifest, const struct mw_bundle_file *file, void (*spoil)(struct mw_buf *tar),
		     struct mw_err *err)
{
	MW_AUTO(mw_buf) tar = MW_BUF(MW_BUNDLE_UNPACKED_BYTES);
	MW_AUTO(mw_buf) packed = MW_BUF(MW_BUNDLE_BYTES);
	MW_AUTO(mw_buf) text = MW_BUF(MW_BUNDLE_MANIFEST_BYTES + 4096);
	char digest[65];
	const char *hash = strchr(manifest, '#');
	assert_int_equal(mw_bundle_sha256("x", 1, digest), 0);
	mw_buf_add(&text, manifest, hash ? (size_t)(hash - manifest) : strlen(manifest));
	if (hash)
		mw_buf_printf(&text, "%s%s", digest, hash + 1);
	const struct mw_bundle_file first = {.path = "manifest", .text = text.data, .bytes = text.size};
	mw_bundle_tar_add(&tar, &first);
	if (file)
		mw_bundle_tar_add(&tar, file);
	mw_bundle_tar_end(&tar);
	if (spoil)
		spoil(&tar);
	assert_int_equal(mw_bundle_pack(tar.data, tar.size, &packed, err), 0);
	const struct mw_bundle_envelope envelope = {.archive = (const unsigned char *)packed.data,
						    .archive_bytes = packed.size};
	struct mw_bundle bundle;
	int r = mw_bundle_read(&envelope, &bundle, err);
	if (r == 0)
		mw_bundle_release(&bundle);
	return r;
}

static const char head[] = "moonwatch-bundle 1\nname n\nversion 1\napi 1\n";

#define WITH_FILE(line) "moonwatch-bundle 1\nname n\nversion 1\napi 1\nfile " line "\n"

static void assert_refused(const char *manifest, const struct mw_bundle_file *file, void (*spoil)(struct mw_buf *tar),
			   int code, const char *says)
{
	struct mw_err err = {""};
	int r = read_made(manifest, file, spoil, &err);
	if (r != code || !strstr(err.text, says))
		fail_msg("%.200s\n%d: \"%s\", expected %d: \"%s\"", manifest, r, err.text, code, says);
}

static void names_lead_nowhere_else(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"../x.lua",         "rules/../x.lua", "/rules/x.lua",        "rules//x.lua",  "rules/.x.lua",
		"rules/x/../y.lua", "rules/x.lua/",   "rules/./x.lua",       "rules\\x.lua",  "rules/x y.lua",
		"rules/-x.lua",     "rules/\x80.lua", "rules/a/b/c/d/e.lua", "rules/x\n.lua",
	};
	struct mw_err err = {""};
	const struct mw_bundle_file good = {.path = "rules/x.lua", .text = "x", .bytes = 1};
	if (read_made(WITH_FILE("# 1 rules/x.lua"), &good, NULL, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char manifest[512];
		const struct mw_bundle_file file = {.path = bad[i], .text = "x", .bytes = 1};
		(void)snprintf(manifest, sizeof(manifest), WITH_FILE("# 1 %s"), bad[i]);
		assert_true(read_made(manifest, &file, NULL, &err) == -EPROTO);
		struct mw_bundle bundle = {.name = "n", .version = "1", .api = 1, .file_count = 1};
		bundle.files = (struct mw_bundle_file *)(uintptr_t)&file;
		MW_AUTO(mw_buf) out = MW_BUF(MW_BUNDLE_BYTES);
		assert_int_equal(mw_bundle_write(&bundle, &out, &err), -EINVAL);
	}
	const struct mw_bundle_file profile = {.path = "policies/x.lua", .text = "x", .bytes = 1};
	assert_refused(WITH_FILE("# 1 policies/x.lua"), &profile, NULL, -EPROTO, "not a rule");
}

static void set_sum(char *block)
{
	unsigned sum = 0;
	memset(block + 148, ' ', 8);
	for (unsigned i = 0; i < 512; i++)
		sum += (unsigned char)block[i];
	char digits[8];
	(void)snprintf(digits, sizeof(digits), "%07o", sum & 07777777);
	memcpy(block + 148, digits, 8);
}

/* The header of the second file, behind the manifest's two blocks. */
static char *second(struct mw_buf *tar)
{
	return tar->data + 1024;
}

static void as_link(struct mw_buf *tar)
{
	second(tar)[156] = '2';
	memcpy(second(tar) + 157, "/etc/passwd", 11);
	set_sum(second(tar));
}

static void as_folder(struct mw_buf *tar)
{
	second(tar)[156] = '5';
	set_sum(second(tar));
}

static void as_pax(struct mw_buf *tar)
{
	second(tar)[156] = 'x';
	set_sum(second(tar));
}

static void with_prefix(struct mw_buf *tar)
{
	memcpy(second(tar) + 345, "/etc", 4);
	set_sum(second(tar));
}

static void as_huge(struct mw_buf *tar)
{
	memcpy(second(tar) + 124, "77777777777", 11);
	set_sum(second(tar));
}

static void as_negative(struct mw_buf *tar)
{
	second(tar)[124] = (char)0xff;
	set_sum(second(tar));
}

static void with_wrong_sum(struct mw_buf *tar)
{
	second(tar)[0] ^= 1;
}

static void with_more_behind(struct mw_buf *tar)
{
	tar->data[tar->size - 1] = 'x';
}

static void with_padding(struct mw_buf *tar)
{
	second(tar)[512 + 100] = 'x';
}

static void cut(struct mw_buf *tar)
{
	tar->size -= 512;
}

static void archives_are_as_plain_as_can_be(void **state)
{
	(void)state;
	static const struct {
		void (*spoil)(struct mw_buf *tar);
		const char *says;
	} cases[] = {
		{as_link, "regular files alone"},    {as_folder, "regular files alone"},
		{as_pax, "regular files alone"},     {with_prefix, "not allowed"},
		{as_huge, "longer than the bundle"}, {as_negative, "longer than the bundle"},
		{with_wrong_sum, "not an archive"},  {with_more_behind, "behind the archive's end"},
		{with_padding, "behind its end"},    {cut, "the archive is cut"},
	};
	const struct mw_bundle_file file = {.path = "rules/x.lua", .text = "x", .bytes = 1};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_refused(WITH_FILE("# 1 rules/x.lua"), &file, cases[i].spoil, -EPROTO, cases[i].says);
}

static void manifests_say_what_is_there(void **state)
{
	(void)state;
	const struct mw_bundle_file file = {.path = "rules/x.lua", .text = "x", .bytes = 1};
	const struct mw_bundle_file changed = {.path = "rules/x.lua", .text = "y", .bytes = 1};
	assert_refused(WITH_FILE("# 1 rules/x.lua"), &changed, NULL, -EPROTO, "is not what the manifest says");
	assert_refused(WITH_FILE("# 2 rules/x.lua"), &file, NULL, -EPROTO, "is not what the manifest says");
	assert_refused(WITH_FILE("# 1 rules/y.lua"), &file, NULL, -EPROTO, "the manifest names");
	assert_refused(WITH_FILE("# 1 rules/x.lua"), NULL, NULL, -EPROTO, "nothing there");
	assert_refused(head, &file, NULL, -EPROTO, "the manifest does not name it");
	assert_refused("moonwatch-bundle 2\n", NULL, NULL, -ENOTSUP, "format 2");
	assert_refused("something else\n", NULL, NULL, -EPROTO, "not the manifest");
	assert_refused("", NULL, NULL, -EPROTO, "not the manifest");
	assert_refused("moonwatch-bundle 1\nname n\nversion 1\n", NULL, NULL, -EPROTO, "lacks");
	assert_refused("moonwatch-bundle 1\nname n\nname m\nversion 1\napi 1\n", NULL, NULL, -EPROTO, "name");
	assert_refused("moonwatch-bundle 1\nname n\nversion 1\napi 1\nfuture x\n", NULL, NULL, -EPROTO, "future");
	assert_refused("moonwatch-bundle 1\nname n\nversion ../1\napi 1\n", NULL, NULL, -EPROTO, "version");
	assert_refused("moonwatch-bundle 1\nname n\nversion 1\napi 99999999999\n", NULL, NULL, -EPROTO, "api");
}

/* A gibibyte of nothing: the same mebibyte, packed, again and again. */
static void pack_gibibyte(struct mw_buf *packed)
{
	static unsigned char zeros[1 << 20], once[16 << 10];
	static const unsigned char gzip[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
	z_stream stream = {.next_in = zeros, .avail_in = sizeof(zeros), .next_out = once, .avail_out = sizeof(once)};
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, Z_FULL_FLUSH), Z_OK);
	size_t n = sizeof(once) - stream.avail_out;
	(void)deflateEnd(&stream);
	mw_buf_add(packed, gzip, sizeof(gzip));
	for (unsigned i = 0; i < 1024; i++)
		mw_buf_add(packed, once, n);
}

static void what_swells_is_refused(void **state)
{
	(void)state;
	static char zeros[1 << 20];
	MW_AUTO(mw_buf) packed = MW_BUF(MW_BUNDLE_BYTES);
	MW_AUTO(mw_buf) out = MW_BUF(MW_BUNDLE_UNPACKED_BYTES);
	struct mw_err err;
	pack_gibibyte(&packed);
	assert_int_equal(mw_buf_status(&packed), 0);
	assert_int_equal(mw_bundle_unpack(packed.data, packed.size, &out, &err), -EFBIG);
	assert_true(out.size <= MW_BUNDLE_UNPACKED_BYTES);
	mw_buf_clear(&packed);
	mw_buf_clear(&out);
	assert_int_equal(mw_bundle_pack("x", 1, &packed, &err), 0);
	/* More of them, one behind the other, are not one. */
	mw_buf_add(&packed, "\x1f\x8b", 2);
	mw_buf_clear(&out);
	assert_true(mw_bundle_unpack(packed.data, packed.size, &out, &err) < 0);
	MW_AUTO(mw_buf) large = MW_BUF(MW_BUNDLE_BYTES + 1);
	struct mw_bundle_envelope envelope;
	for (unsigned i = 0; i < 4; i++)
		mw_buf_add(&large, zeros, sizeof(zeros));
	mw_buf_char(&large, 'x');
	assert_int_equal(mw_bundle_open(large.data, large.size, &envelope, &err), -EFBIG);
}

static int may_replace(const char *next, const char *rollback_from, const char *running)
{
	struct mw_bundle bundle = bundle_of(next);
	(void)snprintf(bundle.rollback_from, sizeof(bundle.rollback_from), "%s", rollback_from);
	(void)snprintf(bundle.digest, sizeof(bundle.digest), "new");
	return mw_bundle_may_replace(&bundle, running, "old", NULL);
}

static void older_ones_are_refused(void **state)
{
	(void)state;
	assert_int_equal(may_replace("1.0", "", ""), 0);
	assert_int_equal(may_replace("1.10", "", "1.9"), 0);
	assert_int_equal(may_replace("1.9", "", "1.10"), -EPERM);
	assert_int_equal(may_replace("1.9", "", "1.9"), -EPERM);
	assert_int_equal(may_replace("1.9", "1.10", "1.10"), 0);
	assert_int_equal(may_replace("1.8", "1.10", "1.9"), 0);
	/* That was meant for another time. */
	assert_int_equal(may_replace("1.9", "1.10", "1.11"), -EPERM);
	struct mw_bundle bundle = bundle_of("1");
	(void)snprintf(bundle.digest, sizeof(bundle.digest), "same");
	assert_int_equal(mw_bundle_may_replace(&bundle, "1", "same", NULL), -EALREADY);
}

static void keys_are_texts(void **state)
{
	(void)state;
	struct mw_bundle_keys keys;
	struct mw_err err;
	const struct mw_bundle_key key = key_of(seed);
	char text[MW_BUNDLE_KEY_TEXT_BYTES];
	char list[4 * MW_BUNDLE_KEY_TEXT_BYTES];
	mw_bundle_key_text("ed25519", key.bytes, text);
	(void)snprintf(list, sizeof(list), "%s, %s,", text, text);
	assert_int_equal(mw_bundle_keys_parse(list, &keys, &err), 0);
	assert_int_equal(keys.count, 2);
	assert_memory_equal(&keys.list[1], &key, sizeof(key));
	assert_int_equal(mw_bundle_keys_parse("", &keys, &err), 0);
	assert_int_equal(keys.count, 0);
	assert_int_equal(mw_bundle_keys_parse("ed25519:AAAA", &keys, &err), -EINVAL);
	assert_int_equal(mw_bundle_keys_parse("rsa:AAAA", &keys, &err), -EINVAL);
	unsigned char back[MW_ED25519_KEY_BYTES];
	mw_bundle_key_text("ed25519-private", seed, text);
	assert_int_equal(mw_bundle_seed_parse(text, strlen(text), back, &err), 0);
	assert_memory_equal(back, seed, sizeof(seed));
	assert_int_equal(mw_bundle_key_parse(text, strlen(text), &keys.list[0], &err), -EINVAL);
}

static void what_is_kept_is_whole(void **state)
{
	(void)state;
	char dir[256];
	char path[4096];
	const char *above = getenv("TMPDIR");
	MW_AUTO(mw_buf) out = MW_BUF(MW_BUNDLE_BYTES);
	struct mw_err err = {""};
	(void)snprintf(dir, sizeof(dir), "%s/bundle-XXXXXX", above ? above : "/tmp");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mw_bundle_kept(dir, &out, &err), -ENOENT);
	assert_int_equal(mw_bundle_keep(dir, "one", 3, &err), 0);
	assert_int_equal(mw_bundle_keep(dir, "two", 3, &err), 0);
	assert_int_equal(mw_bundle_kept(dir, &out, &err), 0);
	assert_int_equal(out.size, 3);
	assert_memory_equal(out.data, "two", 3);
	mw_bundle_forget(dir);
	/* Nobody's link is followed. */
	(void)snprintf(path, sizeof(path), "%s/bundle.mwb", dir);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_true(mw_bundle_kept(dir, &out, &err) < 0);
	mw_bundle_forget(dir);

	const struct mw_bundle bundle = bundle_of("1");
	struct stat about;
	if (mw_bundle_extract(&bundle, dir, path, &err) < 0)
		fail_msg("%s", err.text);
	char file[4200];
	(void)snprintf(file, sizeof(file), "%s/rules/execution/a.lua", path);
	assert_int_equal(stat(file, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	mw_bundle_remove(&bundle, path);
	assert_int_equal(rmdir(dir), 0); /* nothing is left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(one_of_the_pinned_keys_must_have_signed),
		cmocka_unit_test(no_byte_can_be_changed),
		cmocka_unit_test(names_lead_nowhere_else),
		cmocka_unit_test(archives_are_as_plain_as_can_be),
		cmocka_unit_test(manifests_say_what_is_there),
		cmocka_unit_test(what_swells_is_refused),
		cmocka_unit_test(older_ones_are_refused),
		cmocka_unit_test(keys_are_texts),
		cmocka_unit_test(what_is_kept_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
