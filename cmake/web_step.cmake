# What engawa_web_bundle() does at build time: cmake -DSTEP=fetch|bundle … -P web_step.cmake
#
# fetch:  npm puts the packages of the lock into THERE. When that cannot be done and MODE is AUTO, THERE/missing
#         says so, and the build goes on without; ON is an error. A package that is not what the lock says is
#         an error always.
# bundle: build.mjs of HERE makes OUT/NAME; without packages WITHOUT takes its place.

function(fetch)
	file(MAKE_DIRECTORY ${THERE})
	file(REMOVE ${THERE}/missing)
	foreach(name package.json package-lock.json .npmrc)
		file(COPY_FILE ${HERE}/${name} ${THERE}/${name})
	endforeach()
	# A registry that does not answer is given a minute, not ten.
	execute_process(COMMAND ${NPM} ci --ignore-scripts --omit=dev --prefer-offline --loglevel=error
			--no-fund --no-audit --fetch-retries=1 --fetch-retry-mintimeout=1000
			--fetch-retry-maxtimeout=5000 --fetch-timeout=30000
		WORKING_DIRECTORY ${THERE} RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
	if(NOT failed)
		return()
	endif()
	if(MODE STREQUAL "ON" OR said MATCHES "EINTEGRITY")
		message(FATAL_ERROR "The packages of ${WHAT} could not be fetched (-D${OPTION}=OFF builds without):\n${said}")
	endif()
	file(WRITE ${THERE}/missing "${said}")
	message(NOTICE "${said}\nThe packages of ${WHAT} could not be fetched: BUILT WITHOUT ${WHAT}.\n"
		"To try again: run cmake once more, then build. -D${OPTION}=ON makes this an error.")
endfunction()

function(bundle)
	if(EXISTS ${THERE}/missing)
		file(COPY_FILE ${WITHOUT} ${OUT}/${NAME})
		return()
	endif()
	execute_process(COMMAND ${NODE} ${HERE}/build.mjs --out ${OUT} --modules ${THERE}/node_modules
		RESULT_VARIABLE failed)
	if(failed)
		message(FATAL_ERROR "${WHAT} could not be bundled")
	endif()
endfunction()

if(STEP STREQUAL "fetch")
	fetch()
else()
	bundle()
endif()
