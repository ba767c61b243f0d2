# Flags of our own targets; third-party code is not held to them.
add_library(moonwatch_flags INTERFACE)
target_compile_definitions(moonwatch_flags INTERFACE
  _GNU_SOURCE
  MOONWATCH_VERSION="${PROJECT_VERSION}"
  $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
target_include_directories(moonwatch_flags INTERFACE ${PROJECT_SOURCE_DIR}/core)
target_compile_options(moonwatch_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wvla -Wformat=2 -Wundef -Wwrite-strings
  -Wstrict-prototypes -Wmissing-prototypes -Wno-missing-field-initializers
  -fstack-protector-strong -fno-strict-aliasing
  $<$<BOOL:${MOONWATCH_WERROR}>:-Werror>)
if(MOONWATCH_SANITIZE)
  # The code that gcc adds for the sanitizers hides from it which lengths are possible.
  target_compile_options(moonwatch_flags INTERFACE
    $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>
    -fsanitize=${MOONWATCH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    -U_FORTIFY_SOURCE)
  target_link_options(moonwatch_flags INTERFACE -fsanitize=${MOONWATCH_SANITIZE})
endif()
