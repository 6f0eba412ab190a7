-- Messages of one node, in order, each once however often it is offered.
-- KEYS: the news, the orders, the last number of this run of the node. ARGV: run, how many messages are kept, then
-- of each its number, topic and text. Orders lie apart: news, of which there are many, push out none.
-- A script that has begun to write is not refused for full memory: an order must go through then too, and the
-- streams are bounded.
redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[2])
local last = tonumber(redis.call('GET', KEYS[3]) or '0')
for i = 3, #ARGV, 3 do
	if tonumber(ARGV[i]) > last then
		local stream = ARGV[i + 1] == 'orders' and KEYS[2] or KEYS[1]
		redis.call('XADD', stream, 'MAXLEN', '~', ARGV[2], '*', 'r', ARGV[1], 't', ARGV[i + 1], 'j',
			ARGV[i + 2], 'n', ARGV[i])
		last = tonumber(ARGV[i])
	end
end
redis.call('SET', KEYS[3], string.format('%.0f', last), 'PX', 3600000)
return {'ok'}
