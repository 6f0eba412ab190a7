-- The newest announcement wins. KEYS: the presence. ARGV: node, value, ttl in ms.
-- It begins with a write that takes no memory, because a script that has begun to write is not refused for full
-- memory: hosts stay reachable then.
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'value', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'ok'}
