/* The environment is the application's, and has no say in what the sensor's libraries do: what they would read is taken out of
 * this process's before they are loaded.
 *
 * Memory they give back is wiped: answers, headers and keys pass through buffers of theirs. */
#include "net/curl.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const char *const foreign[] = {
	"ALL_PROXY",       "CURL_CA_BUNDLE",  "CURL_HOME",   "CURL_SSL_BACKEND", "HOSTALIASES",  "HTTPS_PROXY",
	"HTTP_PROXY",      "LOCALDOMAIN",     "NETRC",       "NO_PROXY",         "OPENSSL_CONF", "OPENSSL_CONF_INCLUDE",
	"OPENSSL_ENGINES", "OPENSSL_MODULES", "RES_OPTIONS", "SSLKEYLOGFILE",    "SSL_CERT_DIR", "SSL_CERT_FILE",
	"all_proxy",       "http_proxy",      "https_proxy", "no_proxy",
};

static void wiping_free(void *block)
{
	if (!block)
		return;
	explicit_bzero(block, malloc_usable_size(block));
	free(block);
}

/* Never in place: what realloc(3) leaves behind is not wiped. */
static void *wiping_realloc(void *block, size_t size)
{
	size_t had = block ? malloc_usable_size(block) : 0;
	void *moved = malloc(size);
	if (!moved)
		return NULL;
	if (block)
		memcpy(moved, block, had < size ? had : size);
	wiping_free(block);
	return moved;
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size ? malloc(size) : NULL;
}

static void *crypto_realloc(void *block, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size)
		return wiping_realloc(block, size);
	wiping_free(block);
	return NULL;
}

static void crypto_free(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	wiping_free(block);
}

static int start(const struct mw_curl *curl, struct mw_err *err)
{
	CURLcode code = curl->global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup, calloc);
	return code == CURLE_OK ? 0 : mw_err_set(err, -ENOSYS, "libcurl cannot be used: %s", curl->easy_strerror(code));
}

#if defined(MOONWATCH_CURL_LINKED)

#define FILL(name) .name = curl_##name,
static struct mw_curl functions = {MW_CURL_FUNCTIONS(FILL)};

#if defined(MOONWATCH_ALL_LINKED)

/* openssl/crypto.h. */
int CRYPTO_set_mem_functions(void *(*allocate)(size_t, const char *, int),
			     void *(*reallocate)(void *, size_t, const char *, int),
			     void (*release)(void *, const char *, int));

static int load(struct mw_err *err)
{
	/* Refused when something of it was used already: nothing of ours that allocates is. */
	if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free))
		return mw_err_set(err, -ENOSYS, "OpenSSL was used too early: it would not wipe the keys it frees");
	return 0;
}

#else

static int load(struct mw_err *err)
{
	(void)err;
	(void)crypto_malloc;
	(void)crypto_realloc;
	(void)crypto_free;
	return 0;
}

#endif

#elif defined(MOONWATCH_CURL_NONE)

static struct mw_curl functions;

static int load(struct mw_err *err)
{
	(void)crypto_malloc;
	(void)crypto_realloc;
	(void)crypto_free;
	return mw_err_set(err, -ENOSYS,
			  "this moonwatch cannot talk to anybody: it was linked statically, without libcurl "
			  "(MOONWATCH_CURL_LINKED)");
}

#else

static struct mw_curl functions;

static int load(struct mw_err *err)
{
	/* The number of the interface; other builds of libcurl (GnuTLS) have other names. */
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return mw_err_set(err, -ENOSYS,
				  "no network client: libcurl is not there (%s); install the package libcurl4 (Debian, "
				  "Ubuntu) or libcurl (Amazon Linux)",
				  dlerror());

	int (*set_memory)(void *(*)(size_t, const char *, int), void *(*)(void *, size_t, const char *, int),
			  void (*)(void *, const char *, int)) = NULL;
	/* Refused when something of it is in use already; found through libcurl, which is linked with it. */
	*(void **)&set_memory = dlsym(library, "CRYPTO_set_mem_functions");
	if (set_memory)
		(void)set_memory(crypto_malloc, crypto_realloc, crypto_free);

	static const struct {
		const char *name;
		size_t offset;
	} symbols[] = {
#define SYMBOL(name) {"curl_" #name, offsetof(struct mw_curl, name)},
		MW_CURL_FUNCTIONS(SYMBOL)
#undef SYMBOL
	};
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		void *symbol = dlsym(library, symbols[i].name);
		if (!symbol)
			return mw_err_set(err, -ENOSYS, "no network client: libcurl.so.4 has no %s; it is too old",
					  symbols[i].name);
		memcpy((char *)&functions + symbols[i].offset, (const void *)&symbol, sizeof(symbol));
	}
	return 0;
}

#endif

int mw_curl_load(const struct mw_curl **ret_curl, struct mw_err *err)
{
	static bool is_loaded;
	if (!is_loaded) {
		for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
			(void)unsetenv(foreign[i]);
		int r = load(err);
		if (r == 0)
			r = start(&functions, err);
		if (r < 0)
			return r;
		is_loaded = true;
	}
	*ret_curl = &functions;
	return 0;
}
