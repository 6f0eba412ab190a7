-- Is it still the store that it was? KEYS: the mark of the store, the fence of the whole store. ARGV: the mark that it gets when it has none.
-- Answer: its clock (seconds, microseconds), its mark and the highest fence drawn. A store that was emptied, or put in the place of
-- another, has another mark.
local now, mark = redis.call('TIME'), redis.call('GET', KEYS[1])
if not mark then
	redis.call('SET', KEYS[1], ARGV[1])
	mark = ARGV[1]
end
return {now[1], now[2], mark, redis.call('GET', KEYS[2]) or '0'}
