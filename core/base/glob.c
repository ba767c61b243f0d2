#include "base/glob.h"

/* A star needs to be tried again only from the last one on. */
bool mw_glob_match(const char *text, size_t n, const char *glob, size_t k)
{
	size_t t = 0, g = 0, star = k, star_text = 0;
	while (t < n) {
		if (g < k && glob[g] == '*') {
			star = g++;
			star_text = t;
		} else if (g < k && (glob[g] == '?' || glob[g] == text[t])) {
			g++;
			t++;
		} else if (star < k) {
			g = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (g < k && glob[g] == '*')
		g++;
	return g == k;
}
