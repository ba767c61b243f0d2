/* moonwatch.crypto: hashes of strings, as hex digits; see crypto/hash.h. */
#include <sys/random.h>

#include "crypto/hash.h"
#include "script/bind.h"

int luaopen_moonwatch_crypto(lua_State *L);

enum {
	RANDOM_BYTES = 64
};

static void to_hex(const unsigned char *bytes, int size, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	for (int i = 0; i < size; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
}

static int hex_of(lua_State *L, enum mw_hash_kind kind)
{
	unsigned char bytes[MW_HASH_BYTES];
	char hex[2 * MW_HASH_BYTES];
	size_t n;
	const char *text = luaL_checklstring(L, 1, &n);
	int size = mw_hash(kind, text, n, bytes);
	if (size < 0)
		return luaL_error(L, "libcrypto failed");
	to_hex(bytes, size, hex);
	lua_pushlstring(L, hex, 2 * (size_t)size);
	return 1;
}

static int crypto_md5(lua_State *L)
{
	return hex_of(L, MW_HASH_MD5);
}

static int crypto_sha1(lua_State *L)
{
	return hex_of(L, MW_HASH_SHA1);
}

static int crypto_sha256(lua_State *L)
{
	return hex_of(L, MW_HASH_SHA256);
}

/* random(bytes) -> that many, as hex digits; nobody can guess them */
static int crypto_random(lua_State *L)
{
	unsigned char bytes[RANDOM_BYTES];
	char hex[2 * RANDOM_BYTES];
	lua_Integer n = luaL_checkinteger(L, 1);
	luaL_argcheck(L, n >= 1 && n <= RANDOM_BYTES, 1, "from 1 to 64");
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return luaL_error(L, "no random numbers");
	to_hex(bytes, (int)n, hex);
	lua_pushlstring(L, hex, 2 * (size_t)n);
	return 1;
}

int luaopen_moonwatch_crypto(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"md5", crypto_md5},       {"sha1", crypto_sha1}, {"random", crypto_random},
		{"sha256", crypto_sha256}, {NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}
