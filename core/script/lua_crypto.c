/* moonwatch.crypto: hashes of strings, as hex digits; see crypto/hash.h. */
#include "crypto/hash.h"
#include "script/bind.h"

int luaopen_moonwatch_crypto(lua_State *L);

static int hex_of(lua_State *L, enum mw_hash_kind kind)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[MW_HASH_BYTES];
	char hex[2 * MW_HASH_BYTES];
	size_t n;
	const char *text = luaL_checklstring(L, 1, &n);
	int size = mw_hash(kind, text, n, bytes);
	if (size < 0)
		return luaL_error(L, "libcrypto failed");
	for (int i = 0; i < size; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
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

int luaopen_moonwatch_crypto(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"md5", crypto_md5},
		{"sha1", crypto_sha1},
		{"sha256", crypto_sha256},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}
