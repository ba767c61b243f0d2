# Toolchain: cross build for 64-bit ARM with Debian's compiler (the packages of `./setup guest`).  The libraries of that
# architecture are unpacked into build-guest/, since Debian's own way is to add the architecture to the machine.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

get_filename_component(root ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)
set(sysroot ${root}/build-guest/sysroot-arm64)
execute_process(COMMAND ${root}/setup list build OUTPUT_VARIABLE packages COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[a-z0-9.+-]+-dev" packages "${packages}")
list(REMOVE_ITEM packages libc6-dev) # comes with the compiler
execute_process(COMMAND ${root}/cmake/debs ${sysroot} arm64 bookworm ${packages}
  COMMAND_ERROR_IS_FATAL ANY)

set(CMAKE_FIND_ROOT_PATH ${sysroot})
set(CMAKE_C_STANDARD_INCLUDE_DIRECTORIES ${sysroot}/usr/include/aarch64-linux-gnu)
set(CMAKE_EXE_LINKER_FLAGS_INIT -L${sysroot}/usr/lib/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${sysroot}/usr/lib/aarch64-linux-gnu/pkgconfig:${sysroot}/usr/share/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${sysroot})
