-- A node takes its name for this run: rows that an earlier run of it left on the way are not taken any more.
-- KEYS: nodes, head, form. ARGV: node, this run, the form of chain that it reads. Answer: the last number
-- known of the node, and the head; 'form' when the store has another.
-- The first write takes no memory, so that full memory does not keep a node from opening its journal.
redis.call('PERSIST', KEYS[1])
local form = redis.call('GET', KEYS[3])
if form ~= ARGV[3] and (form or redis.call('EXISTS', KEYS[2]) == 1) then
	return {'form'}
end
local note = redis.call('HGET', KEYS[1], ARGV[1])
local last = note and note:match(' (%d+)$') or '0'
if not form then
	redis.call('SET', KEYS[3], ARGV[3])
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. last)
local head = redis.call('HMGET', KEYS[2], 'seq', 'hash')
return {'ok', last, head[1] or '', head[2] or ''}
