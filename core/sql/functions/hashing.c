/* Hashes of values, as hex digits. */
#include "base/limits.h"
#include "crypto/hash.h"
#include "sql/function.h"
#include "sql/functions/values.h"

static void hash(sqlite3_context *context, sqlite3_value *value, enum mw_hash_kind kind)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[MW_HASH_BYTES];
	char hex[2 * MW_HASH_BYTES];
	if (mw_is_null(value))
		return;
	struct mw_value data = mw_value_of(value);
	int size = mw_hash(kind, data.data, data.size, bytes);
	if (size < 0) {
		sqlite3_result_error(context, "libcrypto failed", -1);
		return;
	}
	for (int i = 0; i < size; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	mw_result_bytes(context, hex, 2 * (size_t)size);
}

static void md5(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	hash(context, values[0], MW_HASH_MD5);
}

static void sha1(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	hash(context, values[0], MW_HASH_SHA1);
}

static void sha256(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	hash(context, values[0], MW_HASH_SHA256);
}

static const struct mw_sql_function functions[] = {
	{"md5", "VALUE", 1, 1, "MD5 of a text or blob, as hex digits.", "md5('abc')",
	 "900150983cd24fb0d6963f7d28e17f72", md5},
	{"sha1", "VALUE", 1, 1, "SHA-1.", "sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d", sha1},
	{"sha256", "VALUE", 1, 1, "SHA-256.", "sha256('abc')",
	 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", sha256},
	{0},
};

const struct mw_sql_family mw_family_hashing = {"Hashes", functions};
