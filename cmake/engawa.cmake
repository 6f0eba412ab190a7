# How every part of Engawa is compiled, and the one rule of the tree: a folder is a library.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE Release)
endif()

set(ENGAWA_SANITIZE "" CACHE STRING "address (with undefined), thread, or empty")
option(ENGAWA_WERROR "Warnings are errors (CI)" OFF)
option(ENGAWA_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
option(ENGAWA_TESTS "Build the tests" ON)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(pair
	"EVENT=libevent_core" "SSL=libssl libcrypto" "JANSSON=jansson"
	"SQLITE=sqlite3" "INIH=inih" "CURL=libcurl" "SDL=sdl2" "SDLTTF=SDL2_ttf"
	"X11=x11 xdamage xext xfixes xrandr xtst" "XFT=xft xrender" "SECCOMP=libseccomp"
	"VNCSERVER=libvncserver" "VNCCLIENT=libvncclient" "PNG=libpng" "CMOCKA=cmocka"
	"HIREDIS=hiredis" "QRENCODE=libqrencode" "CJOSE=cjose" "LDAP=ldap" "GLIB=glib-2.0"
	"ARCHIVE=libarchive" "GLYPHS=freetype2 fontconfig")
	string(REPLACE "=" ";" pair "${pair}")
	list(GET pair 0 name)
	list(GET pair 1 modules)
	string(REPLACE " " ";" modules "${modules}")
	pkg_check_modules(${name} QUIET IMPORTED_TARGET ${modules})
	if(NOT ${name}_FOUND)
		list(APPEND ENGAWA_MISSING "${modules}")
	endif()
endforeach()
# Debian's wslay brings no .pc file; it gets the same kind of name as the others.
find_library(WSLAY_LIBRARY wslay)
find_path(WSLAY_INCLUDE wslay/wslay.h)
if(WSLAY_LIBRARY AND WSLAY_INCLUDE)
	add_library(PkgConfig::WSLAY INTERFACE IMPORTED GLOBAL)
	target_link_libraries(PkgConfig::WSLAY INTERFACE ${WSLAY_LIBRARY})
	target_include_directories(PkgConfig::WSLAY INTERFACE ${WSLAY_INCLUDE})
else()
	list(APPEND ENGAWA_MISSING "wslay")
endif()
find_library(CRACK_LIBRARY crack)
find_path(CRACK_INCLUDE crack.h)
if(CRACK_LIBRARY AND CRACK_INCLUDE)
	add_library(PkgConfig::CRACK INTERFACE IMPORTED GLOBAL)
	target_link_libraries(PkgConfig::CRACK INTERFACE ${CRACK_LIBRARY})
	target_include_directories(PkgConfig::CRACK INTERFACE ${CRACK_INCLUDE})
else()
	list(APPEND ENGAWA_MISSING "libcrack")
endif()
if(ENGAWA_MISSING)
	list(JOIN ENGAWA_MISSING ", " missing)
	message(FATAL_ERROR "Missing development libraries: ${missing}\n"
		"On Debian 12, deploy/packages --install build installs all of them.")
endif()

add_library(engawa_flags INTERFACE)
target_compile_options(engawa_flags INTERFACE
	-Wall -Wextra -Wformat=2 -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings
	-Wpointer-arith -Wsign-compare -Wundef -Wimplicit-fallthrough -Wno-missing-field-initializers
	-fvisibility=hidden -fstack-protector-strong -fstack-clash-protection
	-fno-strict-aliasing -fno-omit-frame-pointer)
target_compile_definitions(engawa_flags INTERFACE _GNU_SOURCE ENGAWA_VERSION="${PROJECT_VERSION}")
target_link_options(engawa_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
if(ENGAWA_WERROR)
	target_compile_options(engawa_flags INTERFACE -Werror)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
	target_compile_options(engawa_flags INTERFACE -fcf-protection)
endif()
target_compile_options(engawa_flags INTERFACE -ftrivial-auto-var-init=zero)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 16)
	target_compile_options(engawa_flags INTERFACE
		-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang)
endif()

if(ENGAWA_SANITIZE STREQUAL "address")
	add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -g -O1)
	add_link_options(-fsanitize=address,undefined)
elseif(ENGAWA_SANITIZE STREQUAL "thread")
	add_compile_options(-fsanitize=thread -g -O1)
	add_link_options(-fsanitize=thread)
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
	add_compile_options(-g -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(ENGAWA_FUZZ)
	add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -g)
	add_link_options(-fsanitize=address,undefined)
endif()
add_link_options(-pie)

# engawa_library(NAME ROOT dep...): every .c of the current folder; headers are included from ROOT
# ("base/buf.h"), so a reader of an #include sees the folder.
function(engawa_library name root)
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
	list(FILTER sources EXCLUDE REGEX "/main\\.c$")
	if(NOT sources)
		add_library(${name} INTERFACE)
		target_include_directories(${name} INTERFACE ${root})
		target_link_libraries(${name} INTERFACE engawa_flags ${ARGN})
		return()
	endif()
	add_library(${name} STATIC ${sources})
	target_include_directories(${name} PUBLIC ${root})
	target_link_libraries(${name} PUBLIC engawa_flags ${ARGN})
endfunction()

# engawa_program(NAME MAIN dep...)
function(engawa_program name main)
	add_executable(${name} ${main})
	target_link_libraries(${name} PRIVATE engawa_flags ${ARGN})
endfunction()
