-- What there is. KEYS: rows, stubs, anchor, head. ARGV: what the keys of indexes begin with, the kinds.
-- Answer: head, anchor's seq, number of stubs, time of the oldest row, bytes, rows of each kind.
local head = redis.call('HMGET', KEYS[4], 'seq', 'hash')
local row = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local memory = redis.pcall('INFO', 'memory')
local bytes = type(memory) == 'string' and memory:match('used_memory:(%d+)') or '0'
local answer = {head[1] or '', head[2] or '', redis.call('HGET', KEYS[3], 'seq') or '0',
	tostring(redis.call('ZCARD', KEYS[2])), row and row[2][8] or '0', bytes}
for i = 2, #ARGV do
	answer[#answer + 1] = tostring(redis.call('XLEN', ARGV[1] .. ARGV[i]))
end
return answer
