set(links store_sealed PkgConfig::SQLITE fakes_redis)
