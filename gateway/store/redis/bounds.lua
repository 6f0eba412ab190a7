-- The range of seq that can hold rows of these hours. KEYS: hours. ARGV: first and last hour.
local first, last = nil, nil
for _, range in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[2])) do
	local from, to = range:match('^(%d+)-(%d+)$')
	from, to = tonumber(from), tonumber(to)
	first = first and math.min(first, from) or from
	last = last and math.max(last, to) or to
end
return {string.format('%.0f', first or 1), string.format('%.0f', last or 0)}
