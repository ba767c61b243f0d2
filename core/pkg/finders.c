/* All finders.  A new one is a file and two lines here. */

#include "pkg/walk.h"

extern const struct mw_package_finder mw_finder_composer;
extern const struct mw_package_finder mw_finder_gem;
extern const struct mw_package_finder mw_finder_go;
extern const struct mw_package_finder mw_finder_java;
extern const struct mw_package_finder mw_finder_npm;
extern const struct mw_package_finder mw_finder_python;
extern const struct mw_package_finder mw_finder_rust;

const struct mw_package_finder *const mw_package_finders[] = {
	&mw_finder_composer, &mw_finder_gem,    &mw_finder_go,   &mw_finder_java,
	&mw_finder_npm,      &mw_finder_python, &mw_finder_rust, NULL,
};
