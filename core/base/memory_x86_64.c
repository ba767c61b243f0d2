/* memcpy(3) for musl on x86-64, whose own (rep movsq) costs some 20 ns a call however short; other processors have a good one.
 *
 * memmove(3) comes with it: musl's is in the same file as its memcpy. */
#include <stddef.h>

#if defined(__x86_64__) && !defined(__GLIBC__)

#include <emmintrin.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t __attribute__((may_alias, aligned(1))) word8;
typedef uint32_t __attribute__((may_alias, aligned(1))) word4;
typedef uint16_t __attribute__((may_alias, aligned(1))) word2;

enum {
	STEP = sizeof(__m128i),
	/* From here on the processor's own loop is the fastest. */
	LONG_BYTES = 2048,
};

/* All is read before anything is written, so the two may overlap. */
static inline void copy_short(unsigned char *to, const unsigned char *from, size_t n)
{
	if (n >= STEP) {
		__m128i first = _mm_loadu_si128((const __m128i *)from);
		__m128i last = _mm_loadu_si128((const __m128i *)(from + n - STEP));
		_mm_storeu_si128((__m128i *)to, first);
		_mm_storeu_si128((__m128i *)(to + n - STEP), last);
	} else if (n >= 8) {
		uint64_t first = *(const word8 *)from;
		uint64_t last = *(const word8 *)(from + n - 8);
		*(word8 *)to = first;
		*(word8 *)(to + n - 8) = last;
	} else if (n >= 4) {
		uint32_t first = *(const word4 *)from;
		uint32_t last = *(const word4 *)(from + n - 4);
		*(word4 *)to = first;
		*(word4 *)(to + n - 4) = last;
	} else if (n >= 2) {
		uint16_t first = *(const word2 *)from;
		uint16_t last = *(const word2 *)(from + n - 2);
		*(word2 *)to = first;
		*(word2 *)(to + n - 2) = last;
	} else if (n) {
		*to = *from;
	}
}

static void copy_up(unsigned char *to, const unsigned char *from, size_t n)
{
	for (; n > 2 * (size_t)STEP; to += STEP, from += STEP, n -= STEP)
		_mm_storeu_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)from));
	copy_short(to, from, n);
}

static void copy_down(unsigned char *to, const unsigned char *from, size_t n)
{
	for (; n > 2 * (size_t)STEP; n -= STEP)
		_mm_storeu_si128((__m128i *)(to + n - STEP), _mm_loadu_si128((const __m128i *)(from + n - STEP)));
	copy_short(to, from, n);
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	if (n >= LONG_BYTES) {
		void *at = to;
		__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
		return to;
	}
	copy_up(to, from, n);
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uintptr_t ahead = (uintptr_t)to - (uintptr_t)from;
	if (ahead >= n) /* also when it lies before */
		copy_up(to, from, n);
	else
		copy_down(to, from, n);
	return to;
}

#endif
