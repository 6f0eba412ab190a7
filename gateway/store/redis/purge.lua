-- Puts stubs in the place of some rows.
-- KEYS: rows, stubs. ARGV: what the keys of indexes begin with; then of each row its seq and the digest of its rest.
-- A stub: by seq in a sorted set, "SEQ KIND TIME " and two times 32 bytes, rest and hash.
local found = {}
for i = 2, #ARGV, 2 do
	local row = redis.call('XRANGE', KEYS[1], ARGV[i] .. '-0', ARGV[i] .. '-0')[1]
	if row and #row[2] == 14 then
		found[#found + 1] = {ARGV[i], ARGV[i + 1], row[1], row[2]}
	end
end
-- This comes first because it frees memory: a script that has begun to write is not refused for
-- full memory any more.
for _, row in ipairs(found) do
	local id, f = row[3], row[4]
	redis.call('XDEL', KEYS[1], id)
	local indexes = {f[2], f[2] .. ':t:' .. f[4]}
	if f[6] ~= '' then
		indexes[3] = f[2] .. ':l:' .. f[6]
	end
	for _, index in ipairs(indexes) do
		redis.call('XDEL', ARGV[1] .. index, id)
		if redis.call('XLEN', ARGV[1] .. index) == 0 then
			redis.call('DEL', ARGV[1] .. index)
		end
	end
	redis.call('ZADD', KEYS[2], row[1], row[1] .. ' ' .. f[2] .. ' ' .. f[8] .. ' ' .. row[2] .. f[14])
end
return {tostring(#found)}
