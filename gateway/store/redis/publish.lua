-- Messages of one node, in order, each once however often it is offered.
-- KEYS: the bus, the last number of this run of the node. ARGV: run, how many messages are kept, then of each
-- its number, topic and text.
-- A script that has begun to write is not refused for full memory: an order must go through then too, and the
-- stream is bounded.
redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[2])
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
for i = 3, #ARGV, 3 do
	if tonumber(ARGV[i]) > last then
		redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'r', ARGV[1], 't', ARGV[i + 1], 'j',
			ARGV[i + 2], 'n', ARGV[i])
		last = tonumber(ARGV[i])
	end
end
redis.call('SET', KEYS[2], string.format('%.0f', last), 'PX', 3600000)
return {'ok'}
