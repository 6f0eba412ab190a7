-- One step of a query: some rows that an index names. Never many: nobody else is served meanwhile.
-- KEYS: index, rows. ARGV: 'up' or 'down', lowest and highest seq, how many, at most about how many bytes.
-- Answer: '1' when there are no more, the last one looked at, the rows.
local ids
if ARGV[1] == 'up' then
	ids = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[3], 'COUNT', ARGV[4])
else
	ids = redis.call('XREVRANGE', KEYS[1], ARGV[3], ARGV[2], 'COUNT', ARGV[4])
end
local rows, bytes, last = {}, 0, ''
for i, entry in ipairs(ids) do
	last = entry[1]
	local row = redis.call('XRANGE', KEYS[2], last, last)[1]
	if row then
		rows[#rows + 1] = row
		bytes = bytes + #(row[2][12] or "")
	end
	if bytes > tonumber(ARGV[5]) and i < #ids then
		return {'0', last, rows}
	end
end
return {#ids < tonumber(ARGV[4]) and '1' or '0', last, rows}
