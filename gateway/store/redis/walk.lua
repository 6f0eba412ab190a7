-- One step of a verification: rows and stubs in order of seq, both ends of the chain, and the first row that
-- the indexes do not name, and which would be missing from answers although the chain is in order.
-- KEYS: rows, anchor, head, hours, stubs. ARGV: what the keys of indexes begin with, first seq, how many,
-- about how many bytes.
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
local function is_hidden(seq, id, f)
	return #f == 14 and not (in_hour(seq, f[8]) and indexed(f[2], id) and
		indexed(f[2] .. ':t:' .. f[4], id) and
		(f[6] == '' or indexed(f[2] .. ':l:' .. f[6], id)))
end
local most, rows, bytes, hidden, whole = tonumber(ARGV[3]), {}, 0, '0', '1'
local found = redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', most)
local stubs = redis.call('ZRANGEBYSCORE', KEYS[5], ARGV[2], '+inf', 'LIMIT', 0, most)
if #found == most or #stubs == most then
	whole = '0'
end
local r, s = 1, 1
while found[r] or stubs[s] do
	if #rows == most or bytes > tonumber(ARGV[4]) then
		whole = '0'
		break
	end
	local row = found[r]
	local row_seq = row and tonumber(row[1]:match('^%d+'))
	local stub_seq = stubs[s] and (tonumber(stubs[s]:match('^%d+')) or 0)
	if row and not (stub_seq and stub_seq <= row_seq) then
		rows[#rows + 1] = row
		bytes = bytes + #(row[2][12] or '')
		if hidden == '0' and is_hidden(row_seq, row[1], row[2]) then
			hidden = row[1]:match('^%d+')
		end
		r = r + 1
	else
		rows[#rows + 1] = stubs[s]
		s = s + 1
	end
end
return {whole, anchor[1] or '', anchor[2] or '', head[1] or '', head[2] or '', hidden, rows}
