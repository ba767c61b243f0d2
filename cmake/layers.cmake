# One static library a folder of core/, linked in the direction of the layers (ARCHITECTURE.md):
# what a folder may include is what its library links.
if(MOONWATCH_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
  add_link_options(-static)
endif()
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(LUA REQUIRED IMPORTED_TARGET lua5.4)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
find_library(LUA_CJSON NAMES liblua5.4-cjson.a REQUIRED)
set(LUA_AND_ITS PkgConfig::LUA ${LUA_CJSON} m)
# Of the archive a few objects are taken; the shared library would cost every start some milliseconds.
find_library(CRYPTO NAMES libcrypto.a REQUIRED)
find_library(ZLIB NAMES libz.a REQUIRED)
# libcurl, too, would cost every start its forty libraries: it is loaded when it is first used, unless it is linked.
option(MOONWATCH_CURL_LINKED "Link libcurl instead of loading it when it is first used" OFF)
if(MOONWATCH_CURL_LINKED)
  pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
  set(CURL PkgConfig::CURL)
  add_compile_definitions(MOONWATCH_CURL_LINKED)
  if(MOONWATCH_STATIC)
    # A static program loads nothing later, either: what of OpenSSL and zstd is loaded elsewhere is linked, too.
    find_library(ZSTD NAMES libzstd.a REQUIRED)
    target_link_libraries(PkgConfig::CURL INTERFACE ${CURL_STATIC_LIBRARIES})
    add_compile_definitions(MOONWATCH_ALL_LINKED)
  endif()
elseif(MOONWATCH_STATIC)
  set(CURL)
  add_compile_definitions(MOONWATCH_CURL_NONE)
else()
  set(CURL ${CMAKE_DL_LIBS})
endif()
# Regular expressions with limits.  The archive: only queries use it.
find_library(PCRE2 NAMES libpcre2-8.a REQUIRED)
find_library(YAML NAMES libyaml.a REQUIRED)
# libyara is loaded when a query first needs it, by the name it had here: its structures are those of the header.
find_path(YARA_INCLUDE yara.h)
find_library(YARA NAMES libyara.so)
if(YARA_INCLUDE AND YARA AND NOT MOONWATCH_STATIC)
  file(REAL_PATH ${YARA} YARA_FILE)
  string(REGEX MATCH "libyara\\.so\\.[0-9]+" YARA_NAME ${YARA_FILE})
endif()
if(MOONWATCH_STATIC)
  # What these libraries themselves need.
  target_link_libraries(PkgConfig::LUA INTERFACE ${LUA_STATIC_LIBRARIES})
  target_link_libraries(PkgConfig::SQLITE INTERFACE ${SQLITE_STATIC_LIBRARIES})
endif()

function(moonwatch_layer name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/core/${name}/*.c)
  add_library(mw_${name} STATIC ${sources})
  target_link_libraries(mw_${name} PRIVATE moonwatch_flags PUBLIC ${ARGN})
endfunction()

moonwatch_layer(base)
# Else the compiler makes calls of memcpy() of its loops.
set_source_files_properties(core/base/memory_x86_64.c PROPERTIES COMPILE_OPTIONS "-fno-tree-loop-distribute-patterns;-fno-builtin")
moonwatch_layer(event mw_base)
moonwatch_layer(loop mw_base)
moonwatch_layer(watch mw_loop mw_base)
moonwatch_layer(crypto mw_base ${CRYPTO} m)
moonwatch_layer(proc mw_base)
moonwatch_layer(pkg mw_crypto mw_base PkgConfig::SQLITE ${ZLIB} Threads::Threads)
moonwatch_layer(trace mw_proc mw_event mw_base)
moonwatch_layer(launch mw_trace mw_proc mw_loop mw_event mw_base)
moonwatch_layer(net mw_loop mw_base ${ZLIB} ${CURL})
moonwatch_layer(aws mw_net mw_crypto mw_loop mw_base)
moonwatch_layer(bundle mw_net mw_crypto mw_base ${ZLIB})
moonwatch_layer(flag mw_base)
moonwatch_layer(spool mw_event mw_base PkgConfig::SQLITE)
moonwatch_layer(sql mw_spool mw_flag mw_pkg mw_net mw_proc mw_crypto mw_base PkgConfig::SQLITE ${PCRE2} m)
moonwatch_layer(script mw_sql mw_spool mw_flag mw_aws mw_net mw_crypto mw_loop mw_event mw_base ${LUA_AND_ITS} ${YAML} ${ZSTD}
  Threads::Threads)
moonwatch_layer(rule mw_script mw_pkg mw_event mw_base Threads::Threads)
moonwatch_layer(sensor mw_rule mw_bundle mw_script mw_sql mw_spool mw_flag mw_watch mw_launch mw_trace mw_crypto mw_proc mw_event mw_loop
  mw_base)

if(YARA_NAME)
  target_compile_definitions(mw_sql PRIVATE MOONWATCH_YARA="${YARA_NAME}")
endif()

file(GLOB cli_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/core/cli/*.c)
add_executable(moonwatch ${cli_sources})
target_link_libraries(moonwatch PRIVATE moonwatch_flags
  mw_sensor mw_rule mw_bundle mw_script mw_sql mw_spool mw_flag mw_watch mw_aws mw_net mw_launch mw_trace mw_pkg mw_crypto mw_proc
  mw_loop mw_event mw_base)
# Lua modules written in C (those the test runner needs) find the Lua API in this program; a static one loads none.
if(NOT MOONWATCH_STATIC)
  set_target_properties(moonwatch PROPERTIES ENABLE_EXPORTS ON)
endif()
set_target_properties(moonwatch PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
# All symbols bound at the start: the guard and the tracer, forked from the entrypoint, then never look one up, and the tables of
# the libraries stay out of their memory.
if(NOT MOONWATCH_STATIC)
  target_link_options(moonwatch PRIVATE -Wl,-z,relro,-z,now,--as-needed)
  # What libcurl brings along finds its own OpenSSL and zlib, not the few functions of ours.
  target_link_options(moonwatch PRIVATE -Wl,--exclude-libs,libcrypto.a:libpcre2-8.a:libyaml.a:libz.a)
endif()
