/* Programs whose command line says which files they are about to change: rm, cp, tar, sed -i and the like, and what a shell's
 * -c redirects to.  Programs that only read what they name are not among them, and neither are those nobody knows. */
#pragma once

#include <stdbool.h>

struct mw_change;
struct mw_image;
struct mw_tool;

/* NULL when the program is none of them. */
const struct mw_tool *mw_tool_of(const struct mw_image *image);
enum mw_tool_claim {
	MW_TOOL_NO,
	MW_TOOL_BELOW, /* the file is below a folder it names, or is in */
	MW_TOOL_NAMED,
};

/* Does its command line say that it makes this change? */
enum mw_tool_claim mw_tool_makes(const struct mw_tool *tool, const struct mw_image *image,
				 const struct mw_change *change);

/* Is it a shell whose script, an argument, may redirect; and does it, into the file at `path`? */
bool mw_tool_is_shell(const struct mw_image *image);
bool mw_tool_redirects(const struct mw_image *image, const char *path);
