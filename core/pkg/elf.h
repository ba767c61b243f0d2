/* Sections of ELF files, elf(5): 32 and 64 bits, either byte order.  Offsets and sizes are whatever the file says; what does
 * not lie in it is -ENODATA. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pkg/bytes.h"

struct mw_elf {
	struct mw_bytes bytes;
	bool is_64, is_big;
	uint16_t type; /* ET_EXEC, ET_DYN … */
	uint64_t sections, segments;
	unsigned section_count, section_bytes, segment_count, segment_bytes, names;
};

struct mw_elf_range {
	uint64_t address, offset;
	uint64_t size; /* in the file */
};

/* -EPROTO when it is no ELF file, or one with nothing in it. */
int mw_elf_open(const struct mw_bytes *bytes, struct mw_elf *ret_elf);

/* The section of that name; -ENOENT when there is none, or it has no bytes in the file. */
int mw_elf_section(const struct mw_elf *elf, const char *name, struct mw_elf_range *ret_range);
/* The first segment that is loaded and can be written to. */
int mw_elf_data(const struct mw_elf *elf, struct mw_elf_range *ret_range);
/* Read what is in memory at `address` when the program starts. */
int mw_elf_read(const struct mw_elf *elf, uint64_t address, void *ret_data, size_t n);

/* A number of 2, 4 or 8 bytes in the file's order. */
uint64_t mw_elf_number(const struct mw_elf *elf, const unsigned char *at, size_t bytes);
