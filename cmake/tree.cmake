# The program finds lua/, rules/ and policies/ beside its bin/ folder, as in /opt/moonwatch; in the
# build folder they are links, so the checkout's scripts are the ones that run.
foreach(part lua rules policies)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${part} ${PROJECT_BINARY_DIR}/${part} SYMBOLIC)
endforeach()

install(TARGETS moonwatch RUNTIME DESTINATION bin)
install(DIRECTORY lua rules policies DESTINATION . PATTERN meta EXCLUDE)
