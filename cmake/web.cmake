# What is bundled from TypeScript and linked into the gateway: by esbuild, an npm package whose version
# and hash are in package-lock.json. Where node, npm or what they fetch are missing the gateway is built
# without it and says so at "/".
find_program(NODE_PROGRAM node)
find_program(NPM_PROGRAM npm)
mark_as_advanced(NODE_PROGRAM NPM_PROGRAM)

# engawa_web_choice(OPTION WHAT RET): whether to build it, of AUTO, ON and OFF in the cache entry OPTION.
function(engawa_web_choice option what ret)
	set(${option} "AUTO" CACHE STRING "Build ${what}: AUTO (if node and npm are there), ON, OFF")
	set(build ${${option}})
	if(build STREQUAL "AUTO")
		set(build OFF)
		if(NODE_PROGRAM AND NPM_PROGRAM)
			execute_process(COMMAND ${NODE_PROGRAM} --version OUTPUT_VARIABLE version ERROR_QUIET)
			if(version MATCHES "^v([0-9]+)" AND CMAKE_MATCH_1 GREATER_EQUAL 18)
				set(build ON)
			endif()
		endif()
		if(NOT build)
			message(STATUS "No node (18 or newer) and npm: the gateway is built without ${what}")
		endif()
	elseif(build AND NOT (NODE_PROGRAM AND NPM_PROGRAM))
		message(FATAL_ERROR "${option}=ON needs node and npm")
	endif()
	set(${ret} ${build} PARENT_SCOPE)
endfunction()

# engawa_web_bundle(OPTION WHAT OUTPUT C-FILE WITHOUT C-FILE DEPENDS …): build.mjs of this folder makes OUTPUT in
# the build folder; the packages are fetched into the build folder, by the exact versions and hashes of the
# lock. Where they cannot be fetched, AUTO builds WITHOUT in its place and says so; cmake tries again when it is run.
function(engawa_web_bundle option what)
	cmake_parse_arguments(PARSE_ARGV 2 given "" "OUTPUT;WITHOUT" "DEPENDS")
	set(here ${CMAKE_CURRENT_SOURCE_DIR})
	set(there ${CMAKE_CURRENT_BINARY_DIR}/npm)
	if(EXISTS ${there}/missing)
		file(REMOVE ${there}/done ${there}/missing)
	endif()
	set(step ${CMAKE_COMMAND} -DHERE=${here} -DTHERE=${there} -DMODE=${${option}} -DOPTION=${option}
		"-DWHAT=${what}" -DNPM=${NPM_PROGRAM} -DNODE=${NODE_PROGRAM} -DOUT=${CMAKE_CURRENT_BINARY_DIR}
		-DNAME=${given_OUTPUT} -DWITHOUT=${here}/${given_WITHOUT})
	add_custom_command(OUTPUT ${there}/done
		COMMAND ${step} -DSTEP=fetch -P ${CMAKE_SOURCE_DIR}/cmake/web_step.cmake
		COMMAND ${CMAKE_COMMAND} -E touch ${there}/done
		DEPENDS ${here}/package.json ${here}/package-lock.json ${here}/.npmrc
			${CMAKE_SOURCE_DIR}/cmake/web_step.cmake
		COMMENT "Fetching the packages of ${what} (-D${option}=OFF builds without)"
		VERBATIM)
	add_custom_command(OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${given_OUTPUT}
		COMMAND ${step} -DSTEP=bundle -P ${CMAKE_SOURCE_DIR}/cmake/web_step.cmake
		DEPENDS ${here}/build.mjs ${CMAKE_SOURCE_DIR}/gateway/http/assets.mjs ${there}/done
			${here}/${given_WITHOUT} ${given_DEPENDS}
		COMMENT "Bundling ${what}"
		VERBATIM)
endfunction()
