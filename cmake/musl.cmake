# Toolchain of the portable build: gcc with musl and the archives that cmake/dist/deps has made, for MOONWATCH_MACHINE (x86_64 or
# aarch64).
set(CMAKE_SYSTEM_NAME Linux)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MOONWATCH_MACHINE)
set(CMAKE_SYSTEM_PROCESSOR ${MOONWATCH_MACHINE})
execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/dist/deps ${MOONWATCH_MACHINE}
  OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(MOONWATCH_PREFIX ${prefix})
set(CMAKE_C_COMPILER ${prefix}/bin/cc)
set(CMAKE_AR ${prefix}/bin/ar CACHE FILEPATH "" FORCE)
set(CMAKE_RANLIB ${prefix}/bin/ranlib CACHE FILEPATH "" FORCE)
set(CMAKE_STRIP ${prefix}/bin/strip CACHE FILEPATH "" FORCE)

# The same bytes, in whatever folder it is built.
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG" CACHE STRING "" FORCE)
# -Wno-sign-conversion: musl's ioctl() and CMSG_ macros are of other types than glibc's.
string(JOIN " " CMAKE_C_FLAGS_INIT -isystem ${prefix}/include -Wno-sign-conversion -ffunction-sections -fdata-sections
  -ffile-prefix-map=${root}=. -ffile-prefix-map=${prefix}=/usr)
# Threads get stacks of a mebibyte, of which they take what they touch; musl's own choice is 128 KiB.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-L${prefix}/lib -Wl,--gc-sections -Wl,-z,stack-size=1048576")

set(CMAKE_FIND_ROOT_PATH ${prefix})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${prefix}/lib/pkgconfig)
