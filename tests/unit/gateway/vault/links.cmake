set(links store_sealed gateway_store fakes_redis)
