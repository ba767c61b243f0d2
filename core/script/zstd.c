#include "script/zstd.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

enum {
	OUT_BYTES = 64 << 10,
};

/* zstd.h: stable since 1.4. */
struct in_buffer {
	const void *src;
	size_t size, pos;
};

struct out_buffer {
	void *dst;
	size_t size, pos;
};

enum {
	ZSTD_CONTINUE = 0,
	ZSTD_END = 2,
};

static struct {
	void *(*create)(void);
	size_t (*free)(void *context);
	size_t (*pack)(void *context, struct out_buffer *out, struct in_buffer *in, int end);
	unsigned (*is_error)(size_t code);
} zstd_library;

struct mw_zstd {
	void *context;
	char out[OUT_BYTES];
};

#if defined(MOONWATCH_CURL_NONE)

/* A program that is linked statically loads nothing. */
static bool load(void)
{
	return false;
}

#elif defined(MOONWATCH_ALL_LINKED)

extern __typeof__(*zstd_library.create) ZSTD_createCCtx;
extern __typeof__(*zstd_library.free) ZSTD_freeCCtx;
extern __typeof__(*zstd_library.is_error) ZSTD_isError;
extern __typeof__(*zstd_library.pack) ZSTD_compressStream2;

static bool load(void)
{
	zstd_library.create = ZSTD_createCCtx;
	zstd_library.free = ZSTD_freeCCtx;
	zstd_library.is_error = ZSTD_isError;
	zstd_library.pack = ZSTD_compressStream2;
	return true;
}

#else

static bool load(void)
{
	if (zstd_library.pack)
		return true;
	void *library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return false;
	*(void **)&zstd_library.create = dlsym(library, "ZSTD_createCCtx");
	*(void **)&zstd_library.free = dlsym(library, "ZSTD_freeCCtx");
	*(void **)&zstd_library.is_error = dlsym(library, "ZSTD_isError");
	if (zstd_library.create && zstd_library.free && zstd_library.is_error)
		*(void **)&zstd_library.pack = dlsym(library, "ZSTD_compressStream2");
	return zstd_library.pack;
}

#endif

struct mw_zstd *mw_zstd_new(void)
{
	struct mw_zstd *zstd = load() ? calloc(1, sizeof(*zstd)) : NULL;
	if (zstd && !(zstd->context = zstd_library.create())) {
		free(zstd);
		zstd = NULL;
	}
	return zstd;
}

void mw_zstd_free(struct mw_zstd *zstd)
{
	if (!zstd)
		return;
	(void)zstd_library.free(zstd->context);
	free(zstd);
}

int mw_zstd_pack(struct mw_zstd *zstd, const void *bytes, size_t n, bool is_last,
		 int (*write)(void *data, const void *bytes, size_t n), void *data)
{
	struct in_buffer in = {.src = bytes, .size = n};
	for (;;) {
		struct out_buffer out = {.dst = zstd->out, .size = sizeof(zstd->out)};
		size_t left = zstd_library.pack(zstd->context, &out, &in, is_last ? ZSTD_END : ZSTD_CONTINUE);
		if (zstd_library.is_error(left))
			return -EIO;
		int r = out.pos ? write(data, zstd->out, out.pos) : 0;
		if (r < 0)
			return r;
		if (is_last ? left == 0 : in.pos == in.size)
			return 0;
	}
}
