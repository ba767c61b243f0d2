/* What a Rust program was built from, where cargo-auditable was used. */
#pragma once

#include "pkg/bytes.h"
#include "pkg/pkg.h"

/* Call the sink for the crates of a program.  What is no ELF file, or has no such list: 0, and nothing is called. */
int mw_rust_read(const struct mw_bytes *bytes, const char *path, const struct mw_package_sink *sink);
