# The program finds lua/, rules/ and policies/ beside its bin/ folder, as in /opt/moonwatch; in the
# build folder they are links, so the checkout's scripts are the ones that run.
foreach(part lua rules policies)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${part} ${PROJECT_BINARY_DIR}/${part} SYMBOLIC)
endforeach()
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/container/entrypoint.sh ${PROJECT_BINARY_DIR}/bin/entrypoint.sh SYMBOLIC)

install(TARGETS moonwatch RUNTIME DESTINATION bin)
install(PROGRAMS container/entrypoint.sh DESTINATION bin)
if(MOONWATCH_PREFIX)
  install(FILES ${MOONWATCH_PREFIX}/ca.pem DESTINATION certs)
endif()
install(DIRECTORY lua rules policies DESTINATION . PATTERN meta EXCLUDE)
