/* Clocks.  Two types, so that a wall time and a monotonic one are never mixed. */
#pragma once

#include <stdint.h>
#include <time.h>

enum {
	MW_NS_PER_MS = 1000000,
	MW_NS_PER_S = 1000000000,
};

/* Nanoseconds since the epoch, CLOCK_REALTIME. */
static inline int64_t mw_clock_real_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * MW_NS_PER_S + now.tv_nsec;
}

/* Nanoseconds on CLOCK_MONOTONIC: for durations and deadlines only. */
static inline int64_t mw_clock_mono_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * MW_NS_PER_S + now.tv_nsec;
}

enum {
	/* "2026-01-02T03:04:05.123456789Z" and its NUL. */
	MW_RFC3339_BYTES = 31
};

/* RFC 3339, UTC, nine fraction digits. */
void mw_clock_rfc3339(int64_t real_ns, char out[MW_RFC3339_BYTES]);
