# What `cmake --install` puts where, for packages and for /usr/local. The decoder is no command: the
# viewer looks for it beside itself and in ../libexec/engawa.

include(GNUInstallDirs)
foreach(program engawa-gateway engawactl engawa-host engawa-viewer)
	if(TARGET ${program})
		install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
	endif()
endforeach()
if(TARGET engawa-decoder)
	install(TARGETS engawa-decoder RUNTIME DESTINATION libexec/engawa)
endif()

file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.1)
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# Units name /usr/bin; another prefix gets its own path.
file(GLOB units CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/deploy/systemd
	${CMAKE_SOURCE_DIR}/deploy/systemd/*.service)
foreach(unit ${units})
	set(made ${CMAKE_BINARY_DIR}/systemd/${unit})
	file(READ ${CMAKE_SOURCE_DIR}/deploy/systemd/${unit} text)
	string(REPLACE "/usr/bin/engawa" "${CMAKE_INSTALL_FULL_BINDIR}/engawa" text "${text}")
	file(CONFIGURE OUTPUT ${made} CONTENT "${text}" @ONLY)
	if(unit STREQUAL "engawa-host.service")
		install(FILES ${made} DESTINATION lib/systemd/user)
	else()
		install(FILES ${made} DESTINATION lib/systemd/system)
	endif()
endforeach()

install(FILES ${CMAKE_SOURCE_DIR}/deploy/conf/gateway.ini DESTINATION ${CMAKE_INSTALL_DATADIR}/engawa OPTIONAL)

file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/*.md)
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md ${pages}
	DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs/ja DESTINATION ${CMAKE_INSTALL_DOCDIR})
