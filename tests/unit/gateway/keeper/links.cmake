set(links PkgConfig::SQLITE fakes_redis)
