-- One step of a verification: rows in order of seq, both ends of the chain, and the first row that the
-- indexes do not name, and which would be missing from answers although the chain is in order.
-- KEYS: rows, anchor, head, hours. ARGV: what the keys of indexes begin with, first seq, how many, about
-- how many bytes.
local anchor = redis.call('HMGET', KEYS[2], 'seq', 'hash')
local head = redis.call('HMGET', KEYS[3], 'seq', 'hash')
local function indexed(name, id)
	return #redis.call('XRANGE', ARGV[1] .. name, id, id) == 1
end
local function in_hour(seq, ms)
	local hour = string.format('%.0f', math.floor((tonumber(ms) or 0) / 3600000))
	local range = redis.call('ZRANGEBYSCORE', KEYS[4], hour, hour)[1]
	local from, to = (range or ''):match('^(%d+)-(%d+)$')
	return from and seq >= tonumber(from) and seq <= tonumber(to)
end
local rows, bytes, hidden, whole = {}, 0, '0', '1'
local found = redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', ARGV[3])
for i, row in ipairs(found) do
	local seq, f = row[1]:match('^%d+'), row[2]
	rows[i] = row
	bytes = bytes + #(f[12] or '')
	if hidden == '0' and #f == 14 and not (in_hour(tonumber(seq), f[8]) and indexed(f[2], row[1]) and
		indexed(f[2] .. ':t:' .. f[4], row[1]) and
		(f[6] == '' or indexed(f[2] .. ':l:' .. f[6], row[1]))) then
		hidden = seq
	end
	if bytes > tonumber(ARGV[4]) and i < #found then
		whole = '0'
		break
	end
end
if #found == tonumber(ARGV[3]) then
	whole = '0'
end
return {whole, anchor[1] or '', anchor[2] or '', head[1] or '', head[2] or '', hidden, rows}
