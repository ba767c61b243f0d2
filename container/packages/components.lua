--- What the portable program is linked from, by the name of Debian's package: what a bill of materials and a copyright file say of
--- each.  Versions are those that the build took.
---@class moonwatch.packages.Component
---@field name string      as its makers call it
---@field license string   SPDX expression, of the parts that are linked
---@field homepage string
---@field is_all boolean?  a package of all architectures

---@type table<string, moonwatch.packages.Component>
return {
  ["c-ares"] = { name = "c-ares", license = "MIT", homepage = "https://c-ares.org/" },
  ["ca-certificates"] = {
    name = "ca-certificates", license = "MPL-2.0", homepage = "https://wiki.mozilla.org/CA", is_all = true,
  },
  curl = { name = "curl", license = "curl", homepage = "https://curl.se/" },
  libyaml = { name = "libyaml", license = "MIT", homepage = "https://pyyaml.org/wiki/LibYAML" },
  ["lua-cjson"] = { name = "lua-cjson", license = "MIT", homepage = "https://github.com/mpx/lua-cjson" },
  ["lua5.4"] = { name = "lua", license = "MIT", homepage = "https://www.lua.org/" },
  ["musl-dev"] = { name = "musl", license = "MIT", homepage = "https://musl.libc.org/" },
  nghttp2 = { name = "nghttp2", license = "MIT", homepage = "https://nghttp2.org/" },
  openssl = { name = "openssl", license = "Apache-2.0", homepage = "https://www.openssl.org/" },
  pcre2 = { name = "pcre2", license = "BSD-3-Clause", homepage = "https://www.pcre.org/" },
  sqlite3 = { name = "sqlite", license = "blessing", homepage = "https://www.sqlite.org/" },
  zlib = { name = "zlib", license = "Zlib", homepage = "https://zlib.net/" },
  libzstd = { name = "zstd", license = "BSD-3-Clause OR GPL-2.0-only", homepage = "https://facebook.github.io/zstd/" },
}
