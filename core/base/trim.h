/* Give memory back that a process needed to start and will not need again. */
#pragma once

/* What malloc(3) holds free, and pages of program and libraries that are mapped but were only needed before: those still in
 * use come back from the page cache at the next access.  Takes some hundred microseconds.  Failure changes nothing. */
void mw_memory_trim(void);
