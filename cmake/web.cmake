# What is bundled from TypeScript and linked into the gateway: by esbuild, an npm package whose version
# and hash are in package-lock.json. Where node or npm are missing the gateway is built without it and
# says so at "/".
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

# engawa_web_bundle(OPTION WHAT OUTPUTS… DEPENDS …): build.mjs of this folder makes OUTPUTS in the build
# folder; the packages are fetched into the build folder, by the exact versions and hashes of the lock.
function(engawa_web_bundle option what)
	cmake_parse_arguments(PARSE_ARGV 2 given "" "" "OUTPUTS;DEPENDS")
	set(here ${CMAKE_CURRENT_SOURCE_DIR})
	set(there ${CMAKE_CURRENT_BINARY_DIR}/npm)
	add_custom_command(OUTPUT ${there}/done
		COMMAND ${CMAKE_COMMAND} -E make_directory ${there}
		COMMAND ${CMAKE_COMMAND} -E copy ${here}/package.json ${here}/package-lock.json ${here}/.npmrc ${there}
		COMMAND ${CMAKE_COMMAND} -E chdir ${there} ${NPM_PROGRAM} ci --ignore-scripts --omit=dev
			--loglevel=error --no-fund --no-audit
		COMMAND ${CMAKE_COMMAND} -E touch ${there}/done
		DEPENDS ${here}/package.json ${here}/package-lock.json ${here}/.npmrc
		COMMENT "Fetching the packages of ${what} (-D${option}=OFF builds without)"
		VERBATIM)
	add_custom_command(OUTPUT ${given_OUTPUTS}
		COMMAND ${NODE_PROGRAM} ${here}/build.mjs --out ${CMAKE_CURRENT_BINARY_DIR}
			--modules ${there}/node_modules
		DEPENDS ${here}/build.mjs ${CMAKE_SOURCE_DIR}/gateway/http/assets.mjs ${there}/done ${given_DEPENDS}
		COMMENT "Bundling ${what}"
		VERBATIM)
endfunction()
