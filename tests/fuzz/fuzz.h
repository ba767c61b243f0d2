/* What libFuzzer calls, and replay.c; included in every target by CMakeLists.txt.  Returns 0. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
