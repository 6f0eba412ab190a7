-- A node takes its name for this run: rows that an earlier run of it left on the way are not taken any more.
-- KEYS: nodes, head. ARGV: node, this run. Answer: the last number known of the node, and the head.
-- The first write takes no memory, so that full memory does not keep a node from opening its journal.
redis.call('PERSIST', KEYS[1])
local note = redis.call('HGET', KEYS[1], ARGV[1])
local last = note and note:match(' (%d+)$') or '0'
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. last)
local head = redis.call('HMGET', KEYS[2], 'seq', 'hash')
return {'ok', last, head[1] or '', head[2] or ''}
