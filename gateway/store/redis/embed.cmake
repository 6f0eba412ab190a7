# cmake -DTO=FILE "-DSCRIPTS=a.lua;b.lua" -P embed.cmake: each script becomes an array of bytes, which
# no quoting in it can break.
set(out "")
foreach(script ${SCRIPTS})
	get_filename_component(name ${script} NAME_WE)
	file(READ ${script} hex HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
	string(APPEND out "static const char script_${name}[] = {${bytes}0};\n")
endforeach()
file(WRITE ${TO} "${out}")
